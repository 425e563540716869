// Private to src/core: what subscribers are to know now (R10, R15), whether or not they were told.
#pragma once

#include <string>
#include <vector>

#include "core/notice.hpp"
#include "core/rules.hpp"

namespace certpair::core {

struct Occasion {
  NoticeKind kind = NoticeKind::Expiring;
  const Certificate* about = nullptr;  ///< the certificate that the ledger's lines name
  std::string threshold;
  bool owed_only =
      false;  ///< for those alone whom the ledger has as due: late subscribers missed it
};

/// At most three: what the active certificate's end calls for (of the thresholds that have passed,
/// the most urgent one), one that is held, one that was renewed.
[[nodiscard]] std::vector<Occasion> Occasions(const View& view, const Outcome& automatic);

}  // namespace certpair::core
