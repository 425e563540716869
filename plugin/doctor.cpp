#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/time_format.hpp"
#include "commands.hpp"
#include "reading.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "reconcile/system_codec.hpp"
#include "table.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using nlohmann::json;
using reconcile::json::At;
using reconcile::json::Text;

// In order of urgency. Unseen: what a doctor is there for could not be looked at, so that nobody
// may take its silence for health; Unknown: something beside it.
enum class Urgency { Broken, Ended, Soon, Unseen, Unknown, Well };

struct Finding {
  Urgency urgency = Urgency::Well;
  std::string about;
  std::string message;
  sys_seconds when = sys_seconds::max();  // among those of one urgency, the earliest first
};

std::string_view WordOf(Urgency urgency) {
  switch (urgency) {
    case Urgency::Broken:
      return "BROKEN";
    case Urgency::Ended:
      return "NOW";
    case Urgency::Soon:
      return "SOON";
    case Urgency::Unseen:
    case Urgency::Unknown:
      return "UNKNOWN";
    case Urgency::Well:
      break;
  }
  return "OK";
}

Tint TintOf(Urgency urgency) {
  if (urgency == Urgency::Well) return Tint::Good;
  return urgency == Urgency::Broken || urgency == Urgency::Ended ? Tint::Bad : Tint::Warn;
}

// Fields without which this version of the plugin shows half of what there is.
constexpr const char* kNeededFields[] = {
    "nextTransition",   "activeFingerprint", "secretName", "peerMatching",
    "ttlAfterFinished", "atExpiry",          "chain",      "pkcs12"};

// Longer than a leader takes between two renewals (2 s, unless it is told otherwise).
constexpr int kLeaseLooks = 5;

Finding CheckCrds(const Session& session) {
  const auto document = session.client.Raw("/openapi/v3/apis/certpair.dev/v1", session.stop);
  if (!document && (document.error().kind == kube::ApiErrorKind::NoSuchResource ||
                    document.error().kind == kube::ApiErrorKind::NotFound))
    return {Urgency::Broken, "CRDs",
            "certpair.dev/v1 is not served: install the CRDs (kubectl apply -f crds/)"};
  if (!document)
    return {
        document.error().kind == kube::ApiErrorKind::Forbidden ? Urgency::Unknown : Urgency::Broken,
        "CRDs", Escaped(document.error().message)};
  for (const char* field : kNeededFields)
    if (document->find(fmt::format("\"{}\"", field)) == std::string::npos)
      return {Urgency::Broken, "CRDs",
              fmt::format("they have no field {}: they are not of version {}", field,
                          CERTPAIR_VERSION)};
  return {Urgency::Well, "CRDs", "certpair.dev/v1 is served"};
}

// By our own clock a Lease may look stale that is renewed all the while: then it changes before our
// eyes, as client-go's candidates judge it too.
Liveness WatchOperator(const Session& session) {
  Liveness first = ReadLiveness(session, session.clock.NowSeconds());
  if (first.state != Liveness::State::Silent || first.renewed.empty()) return first;
  for (int look = 0; look < kLeaseLooks && session.pause(std::chrono::seconds{1}); ++look) {
    Liveness again = ReadLiveness(session, session.clock.NowSeconds());
    if (again.renewed.empty() || again.renewed == first.renewed) continue;
    return {Liveness::State::Alive,
            "It runs. This machine's clock is not the operator's: times here may be off.",
            again.renewed};
  }
  return first;
}

Finding CheckOperator(const Session& session) {
  const Liveness operator_ = WatchOperator(session);
  const Urgency urgency = operator_.state == Liveness::State::Alive    ? Urgency::Well
                          : operator_.state == Liveness::State::Silent ? Urgency::Broken
                                                                       : Urgency::Unknown;
  return {urgency, "operator", operator_.message};
}

constexpr std::string_view kUnseen = "nothing is known of it: the operator has not looked at it";

// Without a Lease it may run all the same, but not where nobody looks at what there is.
void DoubtTheOperator(std::vector<Finding>& findings) {
  const bool unseen = std::ranges::any_of(
      findings, [](const Finding& finding) { return finding.message == kUnseen; });
  for (Finding& finding : findings)
    if (unseen && finding.about == "operator" && finding.urgency == Urgency::Unknown)
      finding.urgency = Urgency::Broken;
}

void JudgeAuthority(const json& item, std::vector<Finding>& findings) {
  const std::string about = "authority " + Escaped(Text(At(item, "metadata", "name")));
  bool well = false;
  std::string message{kUnseen};
  for (const core::Condition& condition :
       reconcile::DecodeConditions(At(item, "status", "conditions"))) {
    if (condition.type == "Ready") {
      well = condition.status == core::ConditionStatus::True;
      message = Escaped(condition.message);
    }
    if (condition.type == "ExpiringSoon" && condition.status == core::ConditionStatus::True)
      findings.push_back({Urgency::Soon, about, Escaped(condition.message)});
  }
  findings.push_back({well ? Urgency::Well : Urgency::Broken, about, message});
}

// All of them; or, for whoever may not list what is for the whole cluster, those that the systems
// name.
void CheckAuthorities(const Session& session, const std::set<std::string>& named,
                      std::vector<Finding>& findings) {
  const auto listed = session.client.ListAll(
      reconcile::kAuthorities, {}, [&](json& item) { JudgeAuthority(item, findings); },
      session.stop);
  if (listed) return;
  if (listed.error().kind != kube::ApiErrorKind::Forbidden || named.empty()) {
    const Failure why = Explain(session, listed.error(), {"list", reconcile::kAuthorities, "", ""});
    findings.push_back({Urgency::Unseen, "authorities", why.message});
    return;
  }
  for (const std::string& name : named) {
    const auto object = session.client.Get(reconcile::kAuthorities, "", name, session.stop);
    if (object) {
      JudgeAuthority(*object, findings);
      continue;
    }
    const bool is_absent = object.error().kind == kube::ApiErrorKind::NotFound;
    findings.push_back(
        {is_absent ? Urgency::Broken : Urgency::Unseen, "authority " + Escaped(name),
         Explain(session, object.error(), {"get", reconcile::kAuthorities, "", name}).message});
  }
}

// Of the installation rather than of a system: told once, not for each.
constexpr const char* kNoMail = "MailNotConfigured";

bool WaitsForMail(const SystemView& system) {
  const core::Condition* delivered = system.Condition("NotificationsDelivered");
  return delivered != nullptr && delivered->reason == kNoMail;
}

std::string Shown(const std::string& message) { return Escaped(WithShortFingerprints(message)); }

// What somebody has to do about one system, if anything.
std::optional<Finding> Judge(const SystemView& system, sys_seconds now) {
  const std::string about = fmt::format("{}/{}", Escaped(system.namespace_), Escaped(system.name));
  const CertificateView* active = system.Active();
  const sys_seconds ends =
      active != nullptr && active->not_after ? *active->not_after : sys_seconds::max();
  const core::Condition* ready = system.Condition("Ready");
  if (ready == nullptr) return Finding{Urgency::Ended, about, std::string{kUnseen}, ends};
  if (ends <= now)
    return Finding{Urgency::Ended, about,
                   fmt::format("its active certificate ended {}. {}", Relative(ends, now),
                               Shown(ready->message)),
                   ends};
  if (ready->status != core::ConditionStatus::True && ready->reason != "Issuing")
    return Finding{Urgency::Ended, about, Shown(ready->message), ends};
  const core::Condition* expiring = system.Condition("ExpiringSoon");
  if (expiring != nullptr && expiring->status == core::ConditionStatus::True &&
      expiring->reason != "WillBeRegenerated")
    return Finding{Urgency::Soon, about, Shown(expiring->message), ends};
  for (const char* type : {"AutomaticRegeneration", "NotificationsDelivered", "KeystoreWritten",
                           "SecretMetadataAllowed"}) {
    const core::Condition* condition = system.Condition(type);
    if (condition != nullptr && condition->status == core::ConditionStatus::False &&
        condition->reason != "Off" && condition->reason != kNoMail)
      return Finding{Urgency::Soon, about, fmt::format("{}: {}", type, Shown(condition->message)),
                     ends};
  }
  return std::nullopt;
}

// The answer: which authorities they name.
std::set<std::string> CheckSystems(const Session& session, std::vector<Finding>& findings) {
  const sys_seconds now = session.clock.NowSeconds();
  std::set<std::string> authorities;
  std::size_t systems = 0;
  std::size_t without_mail = 0;
  const std::size_t before = findings.size();
  const auto listed = session.client.ListAll(
      reconcile::kSystems, {.namespace_ = session.namespace_},
      [&](json& item) {
        ++systems;
        const SystemView system = ViewOf(item);
        authorities.insert(system.authority);
        without_mail += WaitsForMail(system) ? 1 : 0;
        if (auto finding = Judge(system, now)) findings.push_back(std::move(*finding));
      },
      session.stop);
  if (!listed) {
    const Failure why =
        Explain(session, listed.error(), {"list", reconcile::kSystems, session.namespace_, ""});
    findings.push_back({Urgency::Unseen, "systems", why.message});
  } else if (findings.size() == before) {
    findings.push_back({Urgency::Well, "systems",
                        fmt::format("{} {}, none of which needs anybody", systems,
                                    systems == 1 ? "system" : "systems")});
  }
  if (without_mail > 0)
    findings.push_back(
        {Urgency::Soon, "mail",
         fmt::format("{} {} subscribers, and the operator sends no mail: give it a "
                     "mail server (--smtp-server, --smtp-from)",
                     without_mail, without_mail == 1 ? "system has" : "systems have")});
  return authorities;
}

json DocumentOf(const std::vector<Finding>& findings) {
  json list = json::array();
  for (const Finding& finding : findings)
    list.push_back({{"urgency", WordOf(finding.urgency)},
                    {"about", finding.about},
                    {"message", finding.message}});
  return {{"findings", std::move(list)}};
}

}  // namespace

Outcome Doctor(const Session& session, const DoctorCommand& command) {
  std::vector<Finding> findings{CheckCrds(session)};
  if (findings.front().urgency != Urgency::Broken) {
    findings.push_back(CheckOperator(session));
    const std::set<std::string> authorities = CheckSystems(session, findings);
    CheckAuthorities(session, authorities, findings);
    DoubtTheOperator(findings);
  }
  if (session.stop.stop_requested()) return Fail(Exit::Interrupted, "interrupted");
  std::ranges::stable_sort(findings, {},
                           [](const Finding& f) { return std::tie(f.urgency, f.when, f.about); });
  if (command.format == Format::Table) {
    Table table{{"HOW", "WHAT", "MESSAGE"}};
    for (const Finding& finding : findings)
      table.Add({{std::string{WordOf(finding.urgency)}, TintOf(finding.urgency)},
                 {finding.about},
                 {finding.message}});
    table.Print(session.console);
  } else {
    PrintDocument(session.console, command.format, DocumentOf(findings));
  }
  const auto urgent = std::ranges::count_if(
      findings, [](const Finding& f) { return f.urgency < Urgency::Unknown; });
  if (urgent == 0) return {};
  return Fail(Exit::Failed,
              fmt::format("{} {} somebody", urgent, urgent == 1 ? "thing needs" : "things need"));
}

}  // namespace certpair::plugin
