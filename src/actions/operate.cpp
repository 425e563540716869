#include "actions/operate.hpp"

#include <algorithm>

#include "actions/object_name.hpp"
#include "base/time_format.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "reconcile/system_codec.hpp"

namespace certpair::actions {
namespace {

using nlohmann::json;
using reconcile::json::At;
using reconcile::json::Text;
using std::chrono::milliseconds;

// The operator may be changing its leader: another instance takes an idle Lease within seconds.
constexpr seconds kGraceOfSilence{5};
constexpr seconds kLeaseLook{5};
// Without a Lease it may run all the same (--leader-elect=false), and most operations end sooner.
constexpr seconds kPatienceWithoutLease{2};
constexpr seconds kStatusFollows{5};
constexpr milliseconds kFirstLook{100};
constexpr milliseconds kLongestPause{1000};

// One operation that is waited for.
class Vigil {
 public:
  Vigil(const Session& session, std::string name, sys_seconds server_began, seconds timeout)
      : session_(session),
        name_(std::move(name)),
        server_began_(server_began),
        began_(session.clock.Steady()),
        timeout_(timeout) {}

  OrRefusal<OperationEnd> Await() {
    milliseconds pause = kFirstLook;
    while (true) {
      auto seen = Look();
      if (!seen || seen->finished) return seen;
      session_.Tell(WaitsForOperation{name_, Waited()});
      if (auto given_up = WhyGiveUp()) return std::unexpected(std::move(*given_up));
      if (!session_.pause(pause)) return Refuse(Stopped{name_});
      pause = std::min(pause * 3 / 2, kLongestPause);
    }
  }

 private:
  [[nodiscard]] std::chrono::nanoseconds Waited() const { return session_.clock.Steady() - began_; }

  OrRefusal<OperationEnd> Look() {
    auto object =
        session_.client.Get(reconcile::kOperations, session_.namespace_, name_, session_.stop);
    if (!object && object.error().kind == kube::ApiErrorKind::Cancelled)
      return Refuse(Stopped{name_});
    if (!object) return WithoutAnswer(std::move(object.error()));
    trouble_.reset();
    OperationEnd end{.name = name_,
                     .finished = false,
                     .object = std::move(*object),
                     .fingerprint = {},
                     .message = {}};
    const json& status = At(end.object, "status");
    for (core::Condition& condition : reconcile::DecodeConditions(At(status, "conditions"))) {
      if (condition.status != core::ConditionStatus::True) continue;
      if (condition.type == "Failed")
        return Refuse(
            OperationRefused{name_, std::move(condition.reason), std::move(condition.message)});
      if (condition.type != "Complete") continue;
      end.finished = true;
      end.message = std::move(condition.message);
      end.fingerprint = Text(At(status, "fingerprint"));
    }
    return end;
  }

  // The operation is made: an API server that stumbles for a moment must not suggest that it has
  // to be made again.
  OrRefusal<OperationEnd> WithoutAnswer(kube::ApiError error) {
    const bool may_pass = MayPass(error.kind);
    ApiProblem problem{std::move(error),
                       {"get", reconcile::kOperations, session_.namespace_, name_}};
    if (!may_pass) return Refuse(LostSight{std::move(problem), name_});
    trouble_ = std::move(problem);
    return OperationEnd{
        .name = name_, .finished = false, .object = {}, .fingerprint = {}, .message = {}};
  }

  std::optional<Refusal> WhyGiveUp() {
    if (Waited() >= timeout_) return NotInTime{name_, timeout_, silence_, trouble_};
    if (Waited() < next_lease_look_) return std::nullopt;
    next_lease_look_ = Waited() + kLeaseLook;
    const auto passed = std::chrono::floor<seconds>(Waited());
    Liveness liveness = ReadLiveness(session_, server_began_ + passed);
    if (liveness.state == Liveness::State::Alive) {
      silence_.reset();
      return std::nullopt;
    }
    const bool is_silent = liveness.IsSilent();
    if (!is_silent && Waited() < kPatienceWithoutLease) {
      next_lease_look_ = kPatienceWithoutLease;
      return std::nullopt;
    }
    if (!silence_) session_.Tell(OperatorNotSeen{liveness});
    silence_ = std::move(liveness);
    if (!is_silent || Waited() < kGraceOfSilence) return std::nullopt;
    return NoOperator{name_, *silence_};
  }

  const Session& session_;
  const std::string name_;
  const sys_seconds server_began_;
  const std::chrono::steady_clock::time_point began_;
  const seconds timeout_;
  std::chrono::nanoseconds next_lease_look_{0};
  std::optional<Liveness> silence_;    // of the operator
  std::optional<ApiProblem> trouble_;  // of the API server
};

// Whether status tells of the outcome. It is written just after the operation's end.
bool Shows(const SystemView& system, Action action, const std::string& fingerprint) {
  const auto is = [&](const CertificateView& c) { return c.fingerprint == fingerprint; };
  if (action == Action::Activate) return system.Active() != nullptr && is(*system.Active());
  return std::ranges::any_of(system.certificates, is) == (action == Action::Generate);
}

// So that the next look, or a download of what was generated, finds it. Nothing is lost without.
void AwaitStatus(const Session& session, const Intent& intent, const std::string& fingerprint) {
  const auto until = session.clock.Steady() + kStatusFollows;
  while (session.clock.Steady() < until) {
    const auto found = ReadSystem(session, intent.system.name);
    if (!found || Shows(found->view, intent.action, fingerprint) || !session.pause(kFirstLook))
      return;
  }
}

// Without an answer it is unknown whether the operation was made.
Refusal WhyNotMade(const Session& session, kube::ApiError error) {
  const bool unknown = error.kind == kube::ApiErrorKind::Transport ||
                       error.kind == kube::ApiErrorKind::Timeout ||
                       error.kind == kube::ApiErrorKind::Cancelled;
  ApiProblem problem{std::move(error), {"create", reconcile::kOperations, session.namespace_, ""}};
  if (unknown) return PerhapsMade{std::move(problem)};
  return problem;
}

// The object that is sent, with a generated name.
json OperationOf(const Intent& intent) {
  // 63 less the five random characters of generateName, less the dash.
  json operation{
      {"apiVersion", reconcile::kApiVersion},
      {"kind", "CertificateOperation"},
      {"metadata",
       {{"generateName", intent.system.name.substr(0, 57) + "-"},
        {"namespace", intent.system.namespace_}}},
      {"spec",
       {{"systemRef", {{"name", intent.system.name}}}, {"action", ToString(intent.action)}}}};
  if (!intent.fingerprint.empty()) operation["spec"]["fingerprint"] = intent.fingerprint;
  return operation;
}

}  // namespace

std::string_view ToString(Action action) {
  switch (action) {
    case Action::Activate:
      return "Activate";
    case Action::Delete:
      return "Delete";
    case Action::Generate:
      break;
  }
  return "Generate";
}

bool Intent::ChangesNothing() const {
  return action == Action::Activate && system.Active() != nullptr &&
         system.Active()->fingerprint == fingerprint;
}

OrRefusal<Intent> IntendGenerate(const Session& session, const std::string& name) {
  auto found = ReadSystem(session, name);
  if (!found) return std::unexpected(std::move(found.error()));
  const SystemView& system = found->view;
  if (system.Active() != nullptr && system.Inactive() != nullptr)
    return Refuse(AlreadyTwo{RefOf(system), system.Inactive()->fingerprint});
  return Intent{Action::Generate, std::move(found->view), {}};
}

OrRefusal<Intent> IntendActivate(const Session& session, const std::string& name,
                                 const std::string& fingerprint) {
  auto found = ReadSystem(session, name);
  if (!found) return std::unexpected(std::move(found.error()));
  const SystemView& system = found->view;
  if (fingerprint.empty() && system.Inactive() == nullptr) return Refuse(NoInactive{RefOf(system)});
  const CertificateView* wanted = system.Inactive();
  if (!fingerprint.empty()) {
    auto resolved = Resolve(system, fingerprint);
    if (!resolved) return Refuse(std::move(resolved.error()));
    wanted = *resolved;
  }
  std::string whole = wanted->fingerprint;
  return Intent{Action::Activate, std::move(found->view), std::move(whole)};
}

OrRefusal<Intent> IntendDelete(const Session& session, const std::string& name,
                               const std::string& fingerprint) {
  auto found = ReadSystem(session, name);
  if (!found) return std::unexpected(std::move(found.error()));
  const SystemView& system = found->view;
  auto wanted = Resolve(system, fingerprint);
  if (!wanted) return Refuse(std::move(wanted.error()));
  std::string whole = (*wanted)->fingerprint;
  if (*wanted == system.Active()) return Refuse(CannotDeleteActive{RefOf(system), whole});
  return Intent{Action::Delete, std::move(found->view), std::move(whole)};
}

OrRefusal<OperationEnd> Carry(const Session& session, const Intent& intent, const How& how) {
  const json wanted = OperationOf(intent);
  if (how.dry_run == DryRun::Client)
    return OperationEnd{
        .name = {}, .finished = false, .object = wanted, .fingerprint = {}, .message = {}};
  auto created = session.client.Create(
      reconcile::kOperations, session.namespace_, wanted, session.stop, kube::Shape::Object,
      {.dry_run = how.dry_run == DryRun::Server, .field_manager = session.field_manager});
  if (!created) return std::unexpected(WhyNotMade(session, std::move(created.error())));
  std::string name = Text(At(*created, "metadata", "name"));
  if (!IsObjectName(name)) return Refuse(BadOperationName{std::move(name)});
  OperationEnd end{.name = std::move(name),
                   .finished = false,
                   .object = *created,
                   .fingerprint = {},
                   .message = {}};
  if (how.dry_run == DryRun::Server || !how.wait) return end;
  const auto began = reconcile::json::Time(At(*created, "metadata", "creationTimestamp"));
  auto ended =
      Vigil{session, end.name, began.value_or(session.clock.NowSeconds()), how.timeout}.Await();
  if (ended) AwaitStatus(session, intent, ended->fingerprint);
  return ended;
}

}  // namespace certpair::actions
