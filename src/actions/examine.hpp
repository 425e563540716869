// How an installation is: what a person must see to, the most urgent first.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "actions/refusal.hpp"
#include "actions/session.hpp"

namespace certpair::actions {

// What was found, each with what it is about.

struct CrdsServed {};
struct CrdsMissing {};
/// The published schema has no such field: it is of another version.
struct CrdsLackField {
  std::string field;
};
struct CrdsUnreadable {
  ApiProblem problem;
};
struct OperatorSeen {
  Liveness liveness;
};
struct AuthoritiesUnreadable {
  ApiProblem problem;
};
struct AuthorityUnreadable {
  std::string name;
  ApiProblem problem;
};
/// `said`: the message of Ready or ExpiringSoon; nothing: the operator has not looked at it.
struct AuthorityState {
  std::string name;
  std::optional<std::string> said;
};
struct SystemsUnreadable {
  ApiProblem problem;
};
/// No system needs anything.
struct SystemsWell {
  std::size_t systems = 0;
};
/// The operator has not looked at it.
struct SystemUnseen {
  SystemRef system;
};
struct SystemExpired {
  SystemRef system;
  sys_seconds when;
  std::string said;  ///< the message of Ready
};
/// A condition calls for a person. `condition` is its type.
struct SystemState {
  SystemRef system;
  std::string condition;
  std::string said;
};
/// Systems have subscribers, and the operator sends no mail.
struct MailNotSent {
  std::size_t systems = 0;
};
/// More systems or authorities exist than were looked at.
struct ListCut {
  kube::Resource resource;
  std::size_t looked_at = 0;
};

using Observed =
    std::variant<CrdsServed, CrdsMissing, CrdsLackField, CrdsUnreadable, OperatorSeen, MailNotSent,
                 ListCut, AuthoritiesUnreadable, AuthorityUnreadable, AuthorityState,
                 SystemsUnreadable, SystemsWell, SystemUnseen, SystemExpired, SystemState>;

struct Finding {
  /// In order. Unseen: what an examination is for could not be looked at, so its silence is not
  /// health. Unknown: something beside it.
  enum class Urgency { Broken, Now, Soon, Unseen, Unknown, Well };
  Urgency urgency = Urgency::Well;
  Observed what;
  sys_seconds when = sys_seconds::max();  ///< among those of one urgency, the earliest comes first
};

struct Examination {
  std::vector<Finding> findings;  ///< the most urgent first; at most kMostFindings
  std::size_t left_out = 0;       ///< further ones, none more urgent than the last
  std::size_t urgent = 0;         ///< more urgent than Unknown, those left out too
};

inline constexpr std::size_t kMostFindings = 1000;
/// So many systems and authorities are looked at.
inline constexpr kube::ListLimits kMostExamined{.objects = 250'000, .bytes = std::size_t{8} << 30};

/// Stopped, and nothing else: what cannot be read is a finding.
[[nodiscard]] OrRefusal<Examination> Examine(const Session& session,
                                             const kube::ListLimits& limits = kMostExamined);

}  // namespace certpair::actions
