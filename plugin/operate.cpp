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
// Most operations end before anybody wonders.
constexpr seconds kQuiet{1};
constexpr milliseconds kFirstLook{100};
constexpr milliseconds kLongestPause{1000};

std::string Place(const Session& session, const std::string& name) {
  return fmt::format("kubectl -n {} get certop {}", ShellWord(session.namespace_), ShellWord(name));
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
      TellThatItWaits();
      if (auto given_up = WhyGiveUp()) return std::unexpected(std::move(*given_up));
      if (!session_.pause(pause)) return Interrupted();
      pause = std::min(pause * 3 / 2, kLongestPause);
    }
  }

 private:
  [[nodiscard]] std::chrono::nanoseconds Waited() const { return session_.clock.Steady() - began_; }

  Expected<OperationEnd> Look() {
    auto object =
        session_.client.Get(reconcile::kOperations, session_.namespace_, name_, session_.stop);
    if (!object && object.error().kind == kube::ApiErrorKind::Cancelled) return Interrupted();
    if (!object) return WithoutAnswer(object.error());
    trouble_.clear();
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

  // The operation is made: an API server that stumbles for a moment must not make anybody think
  // that it has to be made again.
  Expected<OperationEnd> WithoutAnswer(const kube::ApiError& error) {
    const Failure why =
        Explain(session_, error, {"get", reconcile::kOperations, session_.namespace_, name_});
    if (!MayPass(error.kind))
      return Fail(why.exit,
                  fmt::format("{}\n  The operation {} was made, and may still be carried out: {}",
                              why.message, Escaped(name_), Place(session_, name_)));
    trouble_ = why.message;
    return OperationEnd{
        .name = name_, .finished = false, .object = {}, .fingerprint = {}, .message = {}};
  }

  void TellThatItWaits() {
    if (said_that_it_waits_ || !session_.console.err_is_terminal || Waited() < kQuiet) return;
    said_that_it_waits_ = true;
    session_.console.Remark(
        fmt::format("Waiting for the operator to carry out {} …", Escaped(name_)));
  }

  std::optional<Failure> WhyGiveUp() {
    if (Waited() >= timeout_)
      return Failure{Exit::TimedOut,
                     fmt::format("the operation {} did not end within {}. It stays, and may still "
                                 "be carried out: {}{}{}",
                                 Escaped(name_), FormatDuration(timeout_), Place(session_, name_),
                                 silence_.empty() ? "" : "\n  " + silence_,
                                 trouble_.empty() ? "" : "\n  " + trouble_)};
    if (Waited() < next_lease_look_) return std::nullopt;
    next_lease_look_ = Waited() + kLeaseLook;
    const auto passed = std::chrono::floor<seconds>(Waited());
    const Liveness operator_ = ReadLiveness(session_, server_began_ + passed);
    const bool silent = operator_.state == Liveness::State::Silent;
    if (operator_.state == Liveness::State::Alive) {
      silence_.clear();
      return std::nullopt;
    }
    if (!silent && Waited() < kPatienceWithoutLease) {
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
  std::string silence_;  // of the operator
  std::string trouble_;  // of the API server
  bool said_that_it_waits_ = false;
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

// Without an answer nobody knows whether it was made.
Failure WhyNotMade(const Session& session, const kube::ApiError& error) {
  Failure why = Explain(session, error, {"create", reconcile::kOperations, session.namespace_, ""});
  const bool unknown = error.kind == kube::ApiErrorKind::Transport ||
                       error.kind == kube::ApiErrorKind::Timeout ||
                       error.kind == kube::ApiErrorKind::Cancelled;
  if (unknown)
    why.message += fmt::format(
        "\n  The operation may have been made all the same; look before you try again: "
        "kubectl -n {} get certop",
        ShellWord(session.namespace_));
  return why;
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
  if (!created) return std::unexpected(WhyNotMade(session, created.error()));
  std::string name = Text(At(*created, "metadata", "name"));
  if (!IsObjectName(name))
    return Fail(Exit::Failed,
                fmt::format("the API server answered with an operation whose name, \"{}\", is no "
                            "name of an object ({})",
                            Escaped(name), Escaped(session.context)));
  OperationEnd end{.name = std::move(name),
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

Outcome Confirm(const Session& session, const ChangeFlags& change, std::string_view question) {
  if (change.yes || change.dry_run != DryRun::None || !session.console.ask) return {};
  const auto answer = session.console.ask(fmt::format("{} [y/N] ", question), false);
  if (answer && (*answer == "y" || *answer == "Y" || *answer == "yes" || *answer == "Yes"))
    return {};
  if (session.stop.stop_requested())
    return Fail(Exit::Interrupted, "interrupted; nothing was changed");
  return Fail(Exit::Failed, "not confirmed; nothing was changed");
}

std::string_view DryRunSuffix(DryRun dry_run) {
  return dry_run == DryRun::Server   ? " (server dry run)"
         : dry_run == DryRun::Client ? " (client dry run)"
                                     : "";
}

}  // namespace certpair::plugin
