// doctor: an examination as a table, or as a document.
#include "doctor.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actions/examine.hpp"
#include "table.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using actions::Finding;
using nlohmann::json;
using Urgency = actions::Finding::Urgency;

std::string_view WordOf(Urgency urgency) {
  switch (urgency) {
    case Urgency::Broken:
      return "BROKEN";
    case Urgency::Now:
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
  return urgency == Urgency::Broken || urgency == Urgency::Now ? Tint::Bad : Tint::Warn;
}

constexpr std::string_view kUnseen = "unknown: the operator has not processed it yet";

std::string Said(const std::string& message) { return Escaped(WithShortFingerprints(message)); }

std::string Counted(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

// What a finding is about, and what it says.
struct Told {
  std::string about;
  std::string message;
};

struct Teller {
  const Session& session;

  Told operator()(const actions::CrdsServed&) const {
    return {"CRDs", "certpair.dev/v1 is served"};
  }
  Told operator()(const actions::CrdsMissing&) const {
    return {"CRDs", "certpair.dev/v1 is not served: install the CRDs (kubectl apply -f crds/)"};
  }
  Told operator()(const actions::CrdsLackField& lacks) const {
    return {"CRDs", fmt::format("the field {} is missing: the CRDs are not of version {}",
                                lacks.field, CERTPAIR_VERSION)};
  }
  Told operator()(const actions::CrdsUnreadable& unreadable) const {
    return {"CRDs", Escaped(unreadable.problem.error.message)};
  }
  Told operator()(const actions::OperatorSeen& seen) const {
    return {"operator", Describe(seen.liveness)};
  }
  Told operator()(const actions::MailNotSent& mail) const {
    return {"mail", fmt::format("{} subscribers, but the operator sends no mail: configure a mail "
                                "server (--smtp-server, --smtp-from)",
                                Counted(mail.systems, "system has", "systems have"))};
  }
  Told operator()(const actions::ListCut& cut) const {
    return {cut.resource.plural,
            fmt::format("there are more than the {} that were checked: name a namespace with -n",
                        cut.looked_at)};
  }
  Told operator()(const actions::AuthoritiesUnreadable& unreadable) const {
    return {"authorities", Why(unreadable.problem)};
  }
  Told operator()(const actions::AuthorityUnreadable& unreadable) const {
    return {"authority " + Escaped(unreadable.name), Why(unreadable.problem)};
  }
  Told operator()(const actions::AuthorityState& state) const {
    return {"authority " + Escaped(state.name),
            state.said ? Escaped(*state.said) : std::string{kUnseen}};
  }
  Told operator()(const actions::SystemsUnreadable& unreadable) const {
    return {"systems", Why(unreadable.problem)};
  }
  Told operator()(const actions::SystemsWell& well) const {
    return {"systems", fmt::format("{}, no problems", Counted(well.systems, "system", "systems"))};
  }
  Told operator()(const actions::SystemUnseen& unseen) const {
    return {Title(unseen.system), std::string{kUnseen}};
  }
  Told operator()(const actions::SystemExpired& expired) const {
    return {Title(expired.system),
            fmt::format("its active certificate expired {}. {}",
                        Relative(expired.when, session.clock.NowSeconds()), Said(expired.said))};
  }
  Told operator()(const actions::SystemState& state) const {
    const bool is_plain = state.condition == "Ready" || state.condition == "ExpiringSoon";
    return {Title(state.system),
            is_plain ? Said(state.said)
                     : fmt::format("{}: {}", Escaped(state.condition), Said(state.said))};
  }

 private:
  [[nodiscard]] std::string Why(const actions::ApiProblem& problem) const {
    return Explain(session, problem.error, problem.attempt).message;
  }
  static std::string Title(const actions::SystemRef& system) {
    return fmt::format("{}/{}", Escaped(system.namespace_), Escaped(system.name));
  }
};

void PrintTable(const Session& session, const actions::Examination& examination) {
  Table table{{"STATUS", "CHECK", "MESSAGE"}};
  for (const Finding& finding : examination.findings) {
    Told told = std::visit(Teller{session}, finding.what);
    table.Add({{std::string{WordOf(finding.urgency)}, TintOf(finding.urgency)},
               {std::move(told.about)},
               {std::move(told.message)}});
  }
  table.Print(session.console);
  if (examination.left_out > 0)
    session.console.Remark(
        fmt::format("{} less urgent ones are not shown. -n shows those of one namespace.",
                    examination.left_out));
}

void PrintFindings(const Session& session, const actions::Examination& examination, Format format) {
  json list = json::array();
  for (const Finding& finding : examination.findings) {
    Told told = std::visit(Teller{session}, finding.what);
    list.push_back({{"urgency", WordOf(finding.urgency)},
                    {"about", std::move(told.about)},
                    {"message", std::move(told.message)}});
  }
  json document{{"findings", std::move(list)}};
  if (examination.left_out > 0) document["leftOut"] = examination.left_out;
  PrintDocument(session.console, format, document);
}

void Declare(Flags& flags, DoctorCommand& command) {
  AddOutput(flags, command.format, kDocumentFormats, "json or yaml");
}

}  // namespace

Outcome Doctor(const Session& session, const DoctorCommand& command) {
  const auto examination = actions::Examine(Acting(session));
  if (!examination) return std::unexpected(Explain(session, examination.error()));
  if (command.format == Format::Table)
    PrintTable(session, *examination);
  else
    PrintFindings(session, *examination, command.format);
  if (examination->urgent == 0) return {};
  return Fail(Exit::Failed,
              Counted(examination->urgent, "check needs attention", "checks need attention"));
}

extern const CommandEntry kDoctor = EntryOf<DoctorCommand, &Declare, &Doctor>(
    "doctor", "Whether certpair works, and which systems need attention", {}, true);

}  // namespace certpair::plugin
