#include "describe.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "actions/look.hpp"
#include "base/time_format.hpp"
#include "base/utf8.hpp"
#include "system_lines.hpp"
#include "table.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using actions::CertificateView;
using actions::SystemView;

// Fingerprints and names are cut into pieces of this width, so that two certificates fit beside
// each other in 100 columns.
constexpr std::size_t kColumn = 36;

// Whole fingerprints stand above; here they would only make lines long.
std::string Shortened(const std::string& message) {
  return Escaped(WithShortFingerprints(message));
}

std::vector<std::string> Pieces(const std::string& text, std::size_t width) {
  std::vector<std::string> pieces;
  std::string piece;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t size = FirstCodePoint(rest).size;
    piece += rest.substr(0, size);
    rest.remove_prefix(size);
    if (WidthOf(piece) >= width) pieces.push_back(std::exchange(piece, {}));
  }
  if (!piece.empty() || pieces.empty()) pieces.push_back(piece);
  return pieces;
}

// One attribute of both certificates, over as many lines as it needs.
void PrintBeside(const Console& console, std::string_view title, const std::string& left,
                 const std::string& right, std::size_t width, Tint tint) {
  const auto a = Pieces(Escaped(left), width);
  const auto b = Pieces(Escaped(right), width);
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const std::string one = i < a.size() ? a[i] : "";
    const std::string two = i < b.size() ? b[i] : "";
    std::string line = fmt::format("  {:<14}{}", i == 0 ? title : "", console.Coloured(tint, one));
    if (!two.empty()) {
      const std::size_t shown = WidthOf(one);
      line.append(kColumn > shown ? kColumn - shown + 2 : 2, ' ');
      line += console.Coloured(tint, two);
    }
    console.Print(line);
  }
}

std::string When(const std::optional<sys_seconds>& time, sys_seconds now) {
  return time ? fmt::format("{} ({})", FormatTime(*time), Relative(*time, now)) : "";
}

void PrintCertificates(const Console& console, const SystemView& system, sys_seconds now) {
  console.Print(console.Coloured(Tint::Bold, "Certificates"));
  if (system.certificates.empty()) {
    console.Print("  None yet.");
    return;
  }
  static const CertificateView kNone;
  const CertificateView& a = system.certificates.front();
  const CertificateView& b = system.certificates.size() > 1 ? system.certificates[1] : kNone;
  constexpr std::size_t kOctets = 24;  // eight, with their colons: four lines a SHA-256
  const auto beside = [&](std::string_view title, const std::string& left, const std::string& right,
                          std::size_t width = kColumn, Tint tint = Tint::None) {
    PrintBeside(console, title, left, right, width, tint);
  };
  beside("State", a.state, b.state, kColumn, Tint::Bold);
  beside("Valid until", a.not_after ? FormatTime(*a.not_after) : "",
         b.not_after ? FormatTime(*b.not_after) : "");
  beside("", a.not_after ? Relative(*a.not_after, now) : "",
         b.not_after ? Relative(*b.not_after, now) : "", kColumn,
         TintOf(actions::HealthOf(system, now)));
  beside("Valid from", a.not_before ? FormatTime(*a.not_before) : "",
         b.not_before ? FormatTime(*b.not_before) : "");
  beside("Subject", a.subject, b.subject);
  beside("Issuer", a.issuer, b.issuer);
  beside("Serial number", a.serial_number, b.serial_number);
  beside("Signature", a.signature_algorithm, b.signature_algorithm);
  beside("Key", a.key, b.key);
  beside("SHA-256", a.fingerprint, b.fingerprint, kOctets);
  beside("SHA-1", a.fingerprint_sha1, b.fingerprint_sha1, kOctets);
}

void PrintHead(const Console& console, const SystemView& system, sys_seconds now) {
  const auto line = [&](std::string_view title, const std::string& text) {
    console.Print(fmt::format("{:<16}{}", title, text));
  };
  line("Name", Escaped(system.name));
  line("Namespace", Escaped(system.namespace_));
  if (system.display_name != system.name) line("Display name", Escaped(system.display_name));
  line("Type", Escaped(system.type));
  line("Peer matches", system.MatchesByFingerprint()
                           ? "by fingerprint: it accepts only certificates that were uploaded to it"
                           : "by subject and issuer: it accepts any certificate of this subject "
                             "and authority");
  line("Authority", Escaped(system.authority));
  line("Secret", Escaped(system.secret));
  line("Regeneration", system.automatic ? fmt::format("on{}", system.before.empty()
                                                                  ? ""
                                                                  : ", " + Escaped(system.before) +
                                                                        " before expiry")
                                        : "off");
  line("Authentication", Escaped(system.authentication));
  if (system.being_deleted)
    console.Print(console.Coloured(Tint::Bad, "The system is being deleted."));
  else if (!system.observed)
    console.Print(console.Coloured(
        Tint::Warn,
        "The operator has not processed the latest change yet: what follows is older."));
  if (system.next_at)
    line("Next",
         fmt::format("{} on {}", NextAction(system.next_action), When(system.next_at, now)));
}

Tint TintOfCondition(const core::Condition& condition) {
  const bool bad_if_true = condition.type == "ExpiringSoon";
  if (condition.status == core::ConditionStatus::Unknown) return Tint::Warn;
  const bool is_true = condition.status == core::ConditionStatus::True;
  if (condition.type == "Ready" && !is_true) return Tint::Bad;
  return is_true == bad_if_true && condition.reason != "Off" ? Tint::Warn : Tint::None;
}

void PrintConditions(const Console& console, const SystemView& system) {
  console.Print("");
  console.Print(console.Coloured(Tint::Bold, "Conditions"));
  if (system.conditions.empty())
    console.Print("  Unknown: the operator has not processed the system yet.");
  for (const core::Condition& condition : system.conditions) {
    const std::string head =
        fmt::format("{}={} ({})", Escaped(condition.type), core::ToString(condition.status),
                    Escaped(condition.reason));
    console.Print(fmt::format("  {} {}", console.Coloured(TintOfCondition(condition), head),
                              Shortened(condition.message)));
  }
  if (!system.automatic && !system.MatchesByFingerprint())
    console.Print(
        fmt::format("  Recommended: automatic regeneration. The peer needs no manual step for it:\n"
                    "    kubectl certpair -n {} auto on {}",
                    ShellWord(system.namespace_), ShellWord(system.name)));
}

void PrintSubscribers(const Console& console, const actions::Looked& looked) {
  console.Print("");
  console.Print(console.Coloured(Tint::Bold, "Subscribers"));
  if (looked.system.subscribers.empty()) console.Print("  None.");
  for (const core::Subscriber& subscriber : looked.system.subscribers)
    console.Print(
        fmt::format("  {} <{}>", Escaped(subscriber.display_name), Escaped(subscriber.email)));
  if (!looked.mails.empty()) console.Print("  Mails, by occasion:");
  for (const actions::MailSummary& mail : looked.mails)
    console.Print(fmt::format("  {}: to {}{}, about {}{}", Escaped(mail.occasion), mail.recipients,
                              mail.failed > 0 ? fmt::format(", {} not delivered", mail.failed) : "",
                              ShortFingerprint(mail.fingerprint),
                              mail.at ? ", " + Relative(*mail.at, looked.now) : ""));
}

// What was left out of a list, or why there is none.
template <class Entry>
void PrintRest(const Session& session, const actions::Recent<Entry>& recent) {
  const Console& console = session.console;
  if (recent.problem)
    console.Print("  " + Explain(session, recent.problem->error, recent.problem->attempt).message);
  if (recent.is_cut)
    console.Print(
        "  The namespace has too many to read all of them: later ones may be missing here.");
  if (recent.older > 0) console.Print(fmt::format("  {} older ones are not shown.", recent.older));
}

template <class Entry, class RowOf>
void PrintRecent(const Session& session, std::string_view title, std::vector<std::string> head,
                 const actions::Recent<Entry>& recent, RowOf row_of) {
  const Console& console = session.console;
  if (recent.entries.empty() && !recent.problem && !recent.is_cut) return;
  Table table{std::move(head)};
  for (const Entry& entry : recent.entries) table.Add(row_of(entry));
  console.Print("");
  console.Print(console.Coloured(Tint::Bold, title));
  if (!table.Empty()) table.Print(console);
  PrintRest(session, recent);
}

std::string OutcomeOf(const actions::PastOperation& operation) {
  using State = actions::PastOperation::State;
  if (operation.state == State::Waits) return "waits";
  return operation.state == State::Refused ? "refused: " + Escaped(operation.reason)
                                           : Escaped(operation.reason);
}

void PrintOperations(const Session& session, const actions::Looked& looked) {
  PrintRecent(session, "Operations", {"NAME", "ACTION", "OUTCOME", "WHEN", "MESSAGE"},
              looked.operations, [&](const actions::PastOperation& operation) -> Row {
                return {{Escaped(operation.name)},
                        {Escaped(operation.action)},
                        {OutcomeOf(operation)},
                        {operation.at ? Relative(*operation.at, looked.now) : ""},
                        {Shortened(operation.message)}};
              });
}

void PrintEvents(const Session& session, const actions::Looked& looked) {
  PrintRecent(session, "Events", {"WHEN", "TYPE", "REASON", "MESSAGE"}, looked.events,
              [&](const actions::PastEvent& event) -> Row {
                return {{event.at ? Relative(*event.at, looked.now) : ""},
                        {Escaped(event.type), event.type == "Warning" ? Tint::Warn : Tint::None},
                        {Escaped(event.reason)},
                        {Shortened(event.message)}};
              });
}

void Declare(Flags& flags, DescribeCommand& command) { AddName(flags, command.name); }

}  // namespace

Outcome Describe(const Session& session, const DescribeCommand& command) {
  const auto looked = actions::Look(Acting(session), command.name);
  if (!looked) return std::unexpected(Explain(session, looked.error()));
  const SystemView& system = looked->system;
  const Console& console = session.console;
  const core::Condition* expiring = system.Condition("ExpiringSoon");
  if (expiring != nullptr && expiring->status == core::ConditionStatus::True) {
    const Tint tint = TintOf(actions::HealthOf(system, looked->now));
    console.Print(console.Coloured(tint == Tint::None ? Tint::Warn : tint,
                                   "WARNING: " + Shortened(expiring->message)));
    console.Print("");
  }
  PrintHead(console, system, looked->now);
  console.Print("");
  PrintCertificates(console, system, looked->now);
  PrintConditions(console, system);
  PrintSubscribers(console, *looked);
  PrintOperations(session, *looked);
  PrintEvents(session, *looked);
  return {};
}

// A Liveness is described too.
constexpr Outcome (*kRun)(const Session&, const DescribeCommand&) = &Describe;

extern const CommandEntry kDescribe = EntryOf<DescribeCommand, &Declare, kRun>(
    "describe", "Everything about one system: both certificates, warnings, history");

}  // namespace certpair::plugin
