#include "operate.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/time_format.hpp"
#include "reading.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "reconcile/operation_codec.hpp"
#include "reconcile/system_codec.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using nlohmann::json;
using reconcile::json::At;
using reconcile::json::Text;
using std::chrono::milliseconds;

// The operator may be changing its leader: somebody takes an idle Lease within seconds.
constexpr seconds kGraceOfSilence{5};
constexpr seconds kLeaseLook{5};
// Without a Lease it may run all the same (--leader-elect=false), and most operations end sooner.
constexpr seconds kPatienceWithoutLease{2};
constexpr seconds kStatusFollows{5};
constexpr milliseconds kFirstLook{100};
constexpr milliseconds kLongestPause{1000};

std::string Place(const Session& session, const std::string& name) {
  return fmt::format("kubectl -n {} get certop {}", Escaped(session.namespace_), Escaped(name));
}

// One operation that is waited for. A pure step would be a larger thing than this loop.
class Vigil {
 public:
  Vigil(const Session& session, std::string name, sys_seconds server_began, seconds timeout)
      : session_(session),
        name_(std::move(name)),
        server_began_(server_began),
        began_(session.clock.Steady()),
        timeout_(timeout) {}

  Expected<OperationEnd> Await() {
    milliseconds pause = kFirstLook;
    while (true) {
      auto seen = Look();
      if (!seen || seen->finished) return seen;
      if (auto given_up = WhyGiveUp()) return std::unexpected(std::move(*given_up));
      if (!session_.pause(pause)) return Interrupted();
      pause = std::min(pause * 3 / 2, kLongestPause);
    }
  }

 private:
  [[nodiscard]] std::chrono::nanoseconds Waited() const { return session_.clock.Steady() - began_; }

  Expected<OperationEnd> Look() const {
    auto object =
        session_.client.Get(reconcile::kOperations, session_.namespace_, name_, session_.stop);
    if (!object && object.error().kind == kube::ApiErrorKind::Cancelled) return Interrupted();
    if (!object)
      return std::unexpected(Explain(session_, object.error(),
                                     {"get", reconcile::kOperations, session_.namespace_, name_}));
    OperationEnd end{.name = name_,
                     .finished = false,
                     .object = std::move(*object),
                     .fingerprint = {},
                     .message = {}};
    const json& status = At(end.object, "status");
    for (const core::Condition& condition : reconcile::DecodeConditions(At(status, "conditions"))) {
      if (condition.status != core::ConditionStatus::True) continue;
      if (condition.type == "Failed")
        return Fail(
            Exit::Refused,
            fmt::format("refused ({}): {}\n  Nothing was changed; the operation was {}",
                        Escaped(condition.reason), Escaped(condition.message), Escaped(name_)));
      if (condition.type != "Complete") continue;
      end.finished = true;
      end.message = condition.message;
      end.fingerprint = Text(At(status, "fingerprint"));
    }
    return end;
  }

  std::optional<Failure> WhyGiveUp() {
    if (Waited() >= timeout_)
      return Failure{Exit::TimedOut,
                     fmt::format("the operation {} did not end within {}. It stays, and may still "
                                 "be carried out: {}{}",
                                 Escaped(name_), FormatDuration(timeout_), Place(session_, name_),
                                 silence_.empty() ? "" : "\n  " + silence_)};
    if (Waited() < next_lease_look_) return std::nullopt;
    next_lease_look_ = Waited() + kLeaseLook;
    const auto passed = std::chrono::floor<seconds>(Waited());
    const Liveness operator_ = ReadLiveness(session_, server_began_ + passed);
    const bool silent = operator_.state == Liveness::State::Silent;
    const bool absent = operator_.state == Liveness::State::Absent;
    if (!silent && !absent) {
      silence_.clear();
      return std::nullopt;
    }
    if (absent && Waited() < kPatienceWithoutLease) {
      next_lease_look_ = kPatienceWithoutLease;
      return std::nullopt;
    }
    if (silence_.empty()) session_.console.Remark(operator_.message);
    silence_ = operator_.message;
    if (!silent || Waited() < kGraceOfSilence) return std::nullopt;
    return Failure{Exit::Failed,
                   fmt::format("nobody is there to carry out the operation {}. It stays, and is "
                               "carried out when the operator is back: {}",
                               Escaped(name_), Place(session_, name_))};
  }

  [[nodiscard]] std::unexpected<Failure> Interrupted() const {
    return Fail(Exit::Interrupted, fmt::format("interrupted. The operation {} goes on: {}",
                                               Escaped(name_), Place(session_, name_)));
  }

  const Session& session_;
  const std::string name_;
  const sys_seconds server_began_;
  const std::chrono::steady_clock::time_point began_;
  const seconds timeout_;
  std::chrono::nanoseconds next_lease_look_{0};
  std::string silence_;
};

// Whether status tells of the outcome. It is written just after the operation's end.
bool Shows(const SystemView& system, const std::string& action, const std::string& fingerprint) {
  const auto is = [&](const CertificateView& c) { return c.fingerprint == fingerprint; };
  if (action == "Activate") return system.Active() != nullptr && is(*system.Active());
  return std::ranges::any_of(system.certificates, is) == (action == "Generate");
}

// So that whoever looks next, or downloads what was generated, finds it. Nothing is lost without.
void AwaitStatus(const Session& session, const std::string& name, const std::string& action,
                 const std::string& fingerprint) {
  const auto until = session.clock.Steady() + kStatusFollows;
  while (session.clock.Steady() < until) {
    const auto found = ReadSystem(session, name);
    if (!found || Shows(found->view, action, fingerprint) || !session.pause(kFirstLook)) return;
  }
}

}  // namespace

json OperationOf(const SystemView& system, const OperationWish& wish) {
  // 63 less the five random characters of generateName, less the dash.
  json operation{
      {"apiVersion", reconcile::kApiVersion},
      {"kind", "CertificateOperation"},
      {"metadata",
       {{"generateName", system.name.substr(0, 57) + "-"}, {"namespace", system.namespace_}}},
      {"spec", {{"systemRef", {{"name", system.name}}}, {"action", wish.action}}}};
  if (!wish.fingerprint.empty()) operation["spec"]["fingerprint"] = wish.fingerprint;
  return operation;
}

Expected<OperationEnd> Operate(const Session& session, const SystemView& system,
                               const OperationWish& wish, const ChangeFlags& change) {
  const json wanted = OperationOf(system, wish);
  if (change.dry_run == DryRun::Client)
    return OperationEnd{
        .name = {}, .finished = false, .object = wanted, .fingerprint = {}, .message = {}};
  auto created = session.client.Create(
      reconcile::kOperations, session.namespace_, wanted, session.stop, kube::Shape::Object,
      {.dry_run = change.dry_run == DryRun::Server, .field_manager = "certpair-plugin"});
  if (!created)
    return std::unexpected(Explain(session, created.error(),
                                   {"create", reconcile::kOperations, session.namespace_, ""}));
  OperationEnd end{.name = Text(At(*created, "metadata", "name")),
                   .finished = false,
                   .object = *created,
                   .fingerprint = {},
                   .message = {}};
  if (change.dry_run == DryRun::Server || !change.wait) return end;
  const auto began = reconcile::json::Time(At(*created, "metadata", "creationTimestamp"));
  auto ended =
      Vigil{session, end.name, began.value_or(session.clock.NowSeconds()), change.timeout}.Await();
  if (ended) AwaitStatus(session, system.name, wish.action, ended->fingerprint);
  return ended;
}

bool Confirmed(const Session& session, const ChangeFlags& change, std::string_view question) {
  if (change.yes || change.dry_run != DryRun::None || !session.console.ask) return true;
  const auto answer = session.console.ask(fmt::format("{} [y/N] ", question), false);
  return answer && (*answer == "y" || *answer == "Y" || *answer == "yes" || *answer == "Yes");
}

std::string_view DryRunSuffix(DryRun dry_run) {
  return dry_run == DryRun::Server   ? " (server dry run)"
         : dry_run == DryRun::Client ? " (client dry run)"
                                     : "";
}

}  // namespace certpair::plugin
