#include "actions/examine.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include <nlohmann/json.hpp>

#include "actions/fields.hpp"
#include "actions/object_name.hpp"
#include "base/utf8.hpp"
#include "core/reasons.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "reconcile/system_codec.hpp"

namespace certpair::actions {
namespace {

using nlohmann::json;
using reconcile::json::At;
using reconcile::json::Text;
using Urgency = Finding::Urgency;

// Kubernetes allows 32 KiB in a condition; a server that means ill sends more.
constexpr std::size_t kLongestSaid = 2048;
// Authorities that systems name and that are asked for one by one.
constexpr std::size_t kMostNamed = 1000;

std::string Said(const core::Condition& condition) {
  return std::string{CutUtf8(condition.message, kLongestSaid)};
}

SystemRef AboutOf(const Observed& what) {
  return std::visit(
      [](const auto& found) -> SystemRef {
        if constexpr (requires { found.system; }) return found.system;
        if constexpr (requires { found.name; }) return {"", found.name};
        return {};
      },
      what);
}

bool IsBefore(const Finding& a, const Finding& b) {
  const auto key = [](const Finding& f) { return std::tuple{f.urgency, f.when, f.what.index()}; };
  return key(a) != key(b) ? key(a) < key(b) : AboutOf(a.what) < AboutOf(b.what);
}

// Holds the most urgent findings; once it is full, the least urgent one makes room.
class Findings {
 public:
  void Add(Finding finding) {
    if (finding.urgency < Urgency::Unknown) ++examination_.urgent;
    auto& kept = examination_.findings;
    kept.push_back(std::move(finding));
    std::ranges::push_heap(kept, IsBefore);  // the least urgent one is its front
    if (kept.size() <= kMostFindings) return;
    std::ranges::pop_heap(kept, IsBefore);
    kept.pop_back();
    ++examination_.left_out;
  }
  Examination Sorted() && {
    std::ranges::sort_heap(examination_.findings, IsBefore);
    return std::move(examination_);
  }

 private:
  Examination examination_;
};

class Examiner {
 public:
  Examiner(const Session& session, const kube::ListLimits& limits)
      : session_(session), limits_(limits) {}

  Examination Run() && {
    if (LookAtCrds()) {
      const Liveness liveness = WatchLiveness(session_);
      LookAtSystems();
      LookAtAuthorities();
      // Without a Lease an operator may run all the same, but not where objects stay unseen.
      const bool is_absent =
          liveness.state == Liveness::State::Absent || liveness.state == Liveness::State::Unknown;
      const Urgency urgency = liveness.state == Liveness::State::Alive ? Urgency::Well
                              : is_absent && !has_unseen_              ? Urgency::Unknown
                                                                       : Urgency::Broken;
      Add(urgency, OperatorSeen{liveness});
    }
    return std::move(findings_).Sorted();
  }

 private:
  void Add(Urgency urgency, Observed what, sys_seconds when = sys_seconds::max()) {
    findings_.Add({.urgency = urgency, .what = std::move(what), .when = when});
  }

  // Whether it makes sense to go on.
  bool LookAtCrds() {
    auto document = session_.client.Raw("/openapi/v3/apis/certpair.dev/v1", session_.stop);
    if (!document) {
      const kube::ApiErrorKind kind = document.error().kind;
      const bool is_missing =
          kind == kube::ApiErrorKind::NoSuchResource || kind == kube::ApiErrorKind::NotFound;
      const bool is_forbidden = kind == kube::ApiErrorKind::Forbidden;
      if (is_missing)
        Add(Urgency::Broken, CrdsMissing{});
      else
        Add(is_forbidden ? Urgency::Unknown : Urgency::Broken,
            CrdsUnreadable{{std::move(document.error()), {"get", {}, "", ""}}});
      return is_forbidden;
    }
    for (const std::string_view field : fields::kNeeded) {
      if (document->find('"' + std::string{field} + '"') != std::string::npos) continue;
      Add(Urgency::Broken, CrdsLackField{std::string{field}});
      return false;
    }
    Add(Urgency::Well, CrdsServed{});
    return true;
  }

  void LookAtSystems() {
    const sys_seconds now = session_.clock.NowSeconds();
    std::size_t without_mail = 0;
    auto listed = session_.client.ListUpTo(
        reconcile::kSystems, {.namespace_ = session_.namespace_}, limits_,
        [&](json& item) {
          const SystemView system = ViewOf(item);
          if (authorities_.size() < kMostNamed && IsObjectName(system.authority))
            authorities_.insert(system.authority);
          without_mail += WaitsForMail(system) ? 1 : 0;
          Judge(system, now);
        },
        session_.stop);
    if (!listed)
      Add(Urgency::Unseen,
          SystemsUnreadable{
              {std::move(listed.error()), {"list", reconcile::kSystems, session_.namespace_, ""}}});
    else if (listed->IsCut())
      Add(Urgency::Unseen, ListCut{reconcile::kSystems, listed->objects});
    else if (!some_system_needs_attention_)
      Add(Urgency::Well, SystemsWell{listed->objects});
    if (without_mail > 0) Add(Urgency::Soon, MailNotSent{without_mail});
  }

  // Of the installation rather than of a system: told once, not for each.
  static bool WaitsForMail(const SystemView& system) {
    const core::Condition* delivered = system.Condition(core::condition::kNotificationsDelivered);
    return delivered != nullptr && delivered->reason == core::reason::kMailNotConfigured;
  }

  void AddSystem(Urgency urgency, Observed what, sys_seconds when) {
    some_system_needs_attention_ = true;
    Add(urgency, std::move(what), when);
  }

  void Judge(const SystemView& system, sys_seconds now) {
    const CertificateView* active = system.Active();
    const sys_seconds ends =
        active != nullptr && active->not_after ? *active->not_after : sys_seconds::max();
    const core::Condition* ready = system.Condition(core::condition::kReady);
    if (ready == nullptr) {
      has_unseen_ = true;
      return AddSystem(Urgency::Now, SystemUnseen{RefOf(system)}, ends);
    }
    if (ends <= now)
      return AddSystem(Urgency::Now, SystemExpired{RefOf(system), ends, Said(*ready)}, ends);
    const auto tell = [&](Urgency urgency, const core::Condition& condition) {
      AddSystem(urgency, SystemState{RefOf(system), condition.type, Said(condition)}, ends);
    };
    if (ready->status != core::ConditionStatus::True && ready->reason != core::reason::kIssuing)
      return tell(Urgency::Now, *ready);
    const core::Condition* expiring = system.Condition(core::condition::kExpiringSoon);
    if (expiring != nullptr && expiring->status == core::ConditionStatus::True &&
        expiring->reason != core::reason::kWillBeRegenerated)
      return tell(Urgency::Soon, *expiring);
    for (const std::string_view type :
         {core::condition::kAutomaticRegeneration, core::condition::kNotificationsDelivered,
          core::condition::kKeystoreWritten, core::condition::kSecretMetadataAllowed}) {
      const core::Condition* condition = system.Condition(type);
      if (condition != nullptr && condition->status == core::ConditionStatus::False &&
          condition->reason != core::reason::kOff &&
          condition->reason != core::reason::kMailNotConfigured)
        return tell(Urgency::Soon, *condition);
    }
  }

  // All of them; or, where the user may not list what is for the whole cluster, those that the
  // systems name.
  void LookAtAuthorities() {
    auto listed = session_.client.ListUpTo(
        reconcile::kAuthorities, {}, limits_,
        [&](json& item) { JudgeAuthority(Text(At(item, "metadata", "name")), item); },
        session_.stop);
    if (listed && listed->IsCut())
      Add(Urgency::Unseen, ListCut{reconcile::kAuthorities, listed->objects});
    if (listed) return;
    if (listed.error().kind != kube::ApiErrorKind::Forbidden || authorities_.empty()) {
      Add(Urgency::Unseen, AuthoritiesUnreadable{{std::move(listed.error()),
                                                  {"list", reconcile::kAuthorities, "", ""}}});
      return;
    }
    for (const std::string& name : authorities_) {
      if (session_.stop.stop_requested()) return;
      auto object = session_.client.Get(reconcile::kAuthorities, "", name, session_.stop);
      if (object) {
        JudgeAuthority(name, *object);
        continue;
      }
      const bool is_absent = object.error().kind == kube::ApiErrorKind::NotFound;
      Add(is_absent ? Urgency::Broken : Urgency::Unseen,
          AuthorityUnreadable{
              name, {std::move(object.error()), {"get", reconcile::kAuthorities, "", name}}});
    }
  }

  void JudgeAuthority(const std::string& name, const json& item) {
    bool is_well = false;
    std::optional<std::string> said;
    for (const core::Condition& condition :
         reconcile::DecodeConditions(At(item, "status", "conditions"))) {
      const bool is_true = condition.status == core::ConditionStatus::True;
      if (condition.type == core::condition::kReady) {
        is_well = is_true;
        said = Said(condition);
      }
      if (condition.type == core::condition::kExpiringSoon && is_true)
        Add(Urgency::Soon, AuthorityState{name, Said(condition)});
    }
    if (!said) has_unseen_ = true;
    Add(is_well ? Urgency::Well : Urgency::Broken, AuthorityState{name, std::move(said)});
  }

  const Session& session_;
  const kube::ListLimits limits_;
  Findings findings_;
  std::set<std::string> authorities_;  // that systems name
  bool has_unseen_ = false;            // an object that no operator has looked at
  bool some_system_needs_attention_ = false;
};

}  // namespace

OrRefusal<Examination> Examine(const Session& session, const kube::ListLimits& limits) {
  Examination examination = Examiner{session, limits}.Run();
  if (session.stop.stop_requested()) return Refuse(Stopped{});
  return examination;
}

}  // namespace certpair::actions
