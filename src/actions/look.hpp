// Everything about one system: its certificates and conditions, what was done and what happened.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actions/reading.hpp"

namespace certpair::actions {

struct PastOperation {
  enum class State { Waits, Done, Refused };
  std::string name;
  std::string action;
  State state = State::Waits;
  std::string reason;  ///< of its end
  std::string message;
  std::optional<sys_seconds> at;  ///< when it was made
};

struct PastEvent {
  std::string type;  ///< Normal, Warning
  std::string reason;
  std::string message;
  std::optional<sys_seconds> at;
};

/// What became of the mails for one certificate and occasion.
struct MailSummary {
  std::string occasion;  ///< status.notifications.summary.threshold
  std::string fingerprint;
  std::int64_t recipients = 0;
  std::int64_t failed = 0;
  std::optional<sys_seconds> at;
};

/// The latest of a list that may be long. The server's order is by name, so all of it is read.
template <class Entry>
struct Recent {
  static constexpr std::size_t kKept = 10;
  std::vector<Entry> entries;  ///< oldest first
  std::size_t older = 0;       ///< found, and not kept
  /// The list was longer than what is read of one (kMostRead): there may be later ones.
  bool is_cut = false;
  std::optional<ApiProblem> problem;  ///< it could not be read; `entries` is empty
};

/// Of the operations and of the Events of a namespace, so much is read.
inline constexpr kube::ListLimits kMostRead{.objects = 20'000, .bytes = std::size_t{128} << 20};

struct Looked {
  nlohmann::json object;
  SystemView system;
  Recent<PastOperation> operations;
  Recent<PastEvent> events;
  std::vector<MailSummary> mails;  ///< at most 100
  sys_seconds now;
};

/// Operations and Events that cannot be read are told in the result. `limits`: of each of the two
/// lists.
[[nodiscard]] OrRefusal<Looked> Look(const Session& session, const std::string& name,
                                     const kube::ListLimits& limits = kMostRead);

}  // namespace certpair::actions
