// What an action that takes time shows on standard error.
#include <fmt/format.h>

#include "session.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

// Most operations end before a person wonders.
constexpr seconds kQuiet{1};

class Progress {
 public:
  explicit Progress(const Console& console) : console_(console) {}
  void operator()(const actions::WaitsForOperation& waits) {
    if (said_ || !console_.err_is_terminal || waits.waited < kQuiet) return;
    said_ = true;
    console_.Remark(
        fmt::format("Waiting for the operator to carry out {} …", Escaped(waits.operation)));
  }
  void operator()(const actions::OperatorNotSeen& silence) const {
    console_.Remark(Describe(silence.liveness));
  }

 private:
  const Console& console_;
  bool said_ = false;
};

}  // namespace

actions::Session Acting(const Session& session) {
  return {
      .client = session.client,
      .clock = session.clock,
      .namespace_ = session.namespace_,
      .operator_namespace = session.operator_namespace,
      .field_manager = "certpair-plugin",
      .stop = session.stop,
      .pause = session.pause,
      .on_progress = [progress = Progress{session.console}](const actions::Progress& told) mutable {
        std::visit(progress, told);
      }};
}

std::string Describe(const actions::Liveness& liveness) {
  using State = actions::Liveness::State;
  const std::string where = fmt::format("Lease {}", Escaped(liveness.lease));
  const std::string renewed =
      liveness.renewed ? Relative(*liveness.renewed, liveness.seen) : "never";
  if (liveness.clocks_differ)
    return "The operator runs. Its clock differs from this machine's, so times here may be wrong.";
  switch (liveness.state) {
    case State::Alive:
      return fmt::format("{} renewed the {} {}.", Escaped(liveness.holder), where, renewed);
    case State::Expired:
      return fmt::format("The operator does not run: the {} was last renewed {}.", where, renewed);
    case State::Free:
      return fmt::format("The operator does not run: the {} has no holder{}.", where,
                         liveness.renewed ? fmt::format(", and was released {}", renewed) : "");
    case State::Absent:
      return fmt::format(
          "The {} does not exist: the operator has never run there, or runs "
          "without leader election. --operator-namespace names another place.",
          where);
    case State::Unknown:
      break;
  }
  return fmt::format(
      "Whether the operator runs is unknown: {} (--operator-namespace says where it "
      "runs)",
      liveness.error ? Escaped(liveness.error->message) : "");
}

}  // namespace certpair::plugin
