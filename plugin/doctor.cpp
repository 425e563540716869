#include <algorithm>
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

// In order of urgency.
enum class Urgency { Broken, Ended, Soon, Unknown, Well };

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
constexpr const char* kNeededFields[] = {"nextTransition", "activeFingerprint", "secretName",
                                         "peerMatching",   "ttlAfterFinished",  "atExpiry"};

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

Finding CheckOperator(const Session& session) {
  const Liveness operator_ = ReadLiveness(session, session.clock.NowSeconds());
  const Urgency urgency = operator_.state == Liveness::State::Alive    ? Urgency::Well
                          : operator_.state == Liveness::State::Silent ? Urgency::Broken
                                                                       : Urgency::Unknown;
  return {urgency, "operator", operator_.message};
}

template <class Judge>
void CheckEach(const Session& session, const kube::Resource& resource,
               const std::string& namespace_, std::vector<Finding>& findings, Judge judge) {
  const auto listed = session.client.ListAll(
      resource, {.namespace_ = namespace_}, [&](json& item) { judge(item); }, session.stop);
  if (listed) return;
  const Failure why = Explain(session, listed.error(), {"list", resource, namespace_, ""});
  findings.push_back({Urgency::Unknown, resource.plural, why.message});
}

void CheckAuthorities(const Session& session, std::vector<Finding>& findings) {
  CheckEach(session, reconcile::kAuthorities, "", findings, [&](const json& item) {
    const std::string about = "authority " + Escaped(Text(At(item, "metadata", "name")));
    bool well = false;
    std::string message = "nothing is known of it: the operator has not looked at it";
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
  });
}

std::string Shown(const std::string& message) { return Escaped(WithShortFingerprints(message)); }

// What somebody has to do about one system, if anything.
std::optional<Finding> Judge(const SystemView& system, sys_seconds now) {
  const std::string about = fmt::format("{}/{}", Escaped(system.namespace_), Escaped(system.name));
  const CertificateView* active = system.Active();
  const sys_seconds ends =
      active != nullptr && active->not_after ? *active->not_after : sys_seconds::max();
  const core::Condition* ready = system.Condition("Ready");
  if (ready == nullptr)
    return Finding{Urgency::Ended, about,
                   "nothing is known of it: the operator has not looked at it", ends};
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
  for (const char* type : {"AutomaticRegeneration", "NotificationsDelivered"}) {
    const core::Condition* condition = system.Condition(type);
    if (condition != nullptr && condition->status == core::ConditionStatus::False &&
        condition->reason != "Off")
      return Finding{Urgency::Soon, about, fmt::format("{}: {}", type, Shown(condition->message)),
                     ends};
  }
  return std::nullopt;
}

void CheckSystems(const Session& session, std::vector<Finding>& findings) {
  const sys_seconds now = session.clock.NowSeconds();
  std::size_t systems = 0;
  const std::size_t before = findings.size();
  CheckEach(session, reconcile::kSystems, session.namespace_, findings, [&](const json& item) {
    ++systems;
    if (auto finding = Judge(ViewOf(item), now)) findings.push_back(std::move(*finding));
  });
  if (findings.size() == before)
    findings.push_back({Urgency::Well, "systems",
                        fmt::format("{} {}, none of which needs anybody", systems,
                                    systems == 1 ? "system" : "systems")});
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
    CheckAuthorities(session, findings);
    CheckSystems(session, findings);
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
