#include <algorithm>

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

const kube::Resource kEvents{"", "v1", "events", true};
constexpr std::size_t kRecent = 10;

// Fingerprints and names are cut into pieces of this width, so that two certificates fit beside
// each other in 100 columns.
constexpr std::size_t kColumn = 36;

// Whole fingerprints stand above, and make lines that nobody reads.
std::string Shortened(const std::string& message) {
  return Escaped(WithShortFingerprints(message));
}

std::vector<std::string> Pieces(const std::string& text, std::size_t width) {
  std::vector<std::string> pieces;
  std::string piece;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::size_t size = 1;  // a whole character
    while (size < rest.size() && (static_cast<unsigned char>(rest[size]) & 0xC0U) == 0x80U) ++size;
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
    console.Print("  There is none yet.");
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
         b.not_after ? Relative(*b.not_after, now) : "", kColumn, UrgencyOf(system, now));
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
                           ? "by fingerprint: it accepts only certificates that were uploaded there"
                           : "by subject and issuer: it accepts any certificate of this subject "
                             "and authority");
  line("Authority", Escaped(system.authority));
  line("Secret", Escaped(system.secret));
  line("Regeneration", system.automatic ? fmt::format("on{}", system.before.empty()
                                                                  ? ""
                                                                  : ", " + Escaped(system.before) +
                                                                        " before the end")
                                        : "off");
  line("Authentication", Escaped(system.authentication));
  if (system.being_deleted)
    console.Print(console.Coloured(Tint::Bad, "It is being deleted."));
  else if (!system.observed)
    console.Print(console.Coloured(
        Tint::Warn,
        "The operator has not looked at it since it was changed: what follows is old."));
  if (system.next_at)
    line("Next", fmt::format("{}, {}", Escaped(system.next_action), When(system.next_at, now)));
}

Tint TintOf(const core::Condition& condition) {
  const bool bad_if_true = condition.type == "ExpiringSoon";
  if (condition.status == core::ConditionStatus::Unknown) return Tint::Warn;
  const bool is_true = condition.status == core::ConditionStatus::True;
  if (condition.type == "Ready" && !is_true) return Tint::Bad;
  return is_true == bad_if_true && condition.reason != "Off" ? Tint::Warn : Tint::None;
}

void PrintConditions(const Console& console, const SystemView& system) {
  console.Print("");
  console.Print(console.Coloured(Tint::Bold, "How it is"));
  if (system.conditions.empty())
    console.Print("  Nothing is known: the operator has not looked at it yet.");
  for (const core::Condition& condition : system.conditions) {
    const std::string head =
        fmt::format("{}={} ({})", Escaped(condition.type), core::ToString(condition.status),
                    Escaped(condition.reason));
    console.Print(fmt::format("  {} {}", console.Coloured(TintOf(condition), head),
                              Shortened(condition.message)));
  }
  if (!system.automatic && !system.MatchesByFingerprint())
    console.Print(fmt::format(
        "  Recommended: automatic regeneration, since the peer needs no manual step for it:\n"
        "    kubectl certpair -n {} auto on {}",
        ShellWord(system.namespace_), ShellWord(system.name)));
}

void PrintSubscribers(const Console& console, const SystemView& system, const json& object,
                      sys_seconds now) {
  console.Print("");
  console.Print(console.Coloured(Tint::Bold, "Subscribers"));
  if (system.subscribers.empty()) console.Print("  There are none.");
  for (const core::Subscriber& subscriber : system.subscribers)
    console.Print(
        fmt::format("  {} <{}>", Escaped(subscriber.display_name), Escaped(subscriber.email)));
  const json& summary = At(object, "status", "notifications", "summary");
  if (summary.is_array() && !summary.empty()) console.Print("  Mails, by what they were for:");
  for (const json& sent : summary) {
    const auto failed = reconcile::json::Integer(At(sent, "failed"));
    const auto at = reconcile::json::Time(At(sent, "at"));
    console.Print(fmt::format("  {}: to {}{}, about {}{}", Escaped(Text(At(sent, "threshold"))),
                              reconcile::json::Integer(At(sent, "recipients")),
                              failed > 0 ? fmt::format(", of whom {} did not get it", failed) : "",
                              ShortFingerprint(Text(At(sent, "fingerprint"))),
                              at ? ", " + Relative(*at, now) : ""));
  }
}

// Kubernetes 1.30 selects objects of custom kinds by nothing but their name: `make_row` of those
// leaves out what is not meant.
bool IsUnknownSelector(const kube::ApiError& error) {
  return error.kind == kube::ApiErrorKind::Invalid &&
         error.message.find("field label not supported") != std::string::npos;
}

// The last ones, oldest first. What may not be read is said, and is no failure.
template <class MakeRow>
void PrintRecent(const Session& session, std::string_view title, const kube::Resource& resource,
                 const std::string& field_selector, std::vector<std::string> head,
                 MakeRow make_row) {
  const Console& console = session.console;
  std::vector<std::pair<sys_seconds, Row>> found;
  kube::ListOptions options{.namespace_ = session.namespace_, .field_selector = field_selector};
  for (bool more = true; more;) {
    auto page = session.client.List(
        resource, options,
        [&](json& item) {
          if (auto row = make_row(item)) found.push_back(std::move(*row));
        },
        session.stop);
    if (!page && IsUnknownSelector(page.error()) && !options.field_selector.empty()) {
      options = {.namespace_ = session.namespace_};
      found.clear();
      continue;
    }
    if (!page) {
      console.Print("");
      console.Print(console.Coloured(Tint::Bold, title));
      console.Print(
          "  " +
          Explain(session, page.error(), {"list", resource, session.namespace_, ""}).message);
      return;
    }
    options.continue_token = page->continue_token;
    more = !page->continue_token.empty();
  }
  if (found.empty()) return;
  std::ranges::stable_sort(found, {}, [](const auto& entry) { return entry.first; });
  const std::size_t skipped = found.size() > kRecent ? found.size() - kRecent : 0;
  Table table{std::move(head)};
  for (std::size_t i = skipped; i < found.size(); ++i) table.Add(std::move(found[i].second));
  console.Print("");
  console.Print(console.Coloured(Tint::Bold, title));
  table.Print(console);
}

void PrintOperations(const Session& session, const SystemView& system, sys_seconds now) {
  PrintRecent(session, "Operations", reconcile::kOperations, "spec.systemRef.name=" + system.name,
              {"NAME", "ACTION", "OUTCOME", "WHEN", "MESSAGE"},
              [&](const json& item) -> std::optional<std::pair<sys_seconds, Row>> {
                if (Text(At(item, "spec", "systemRef", "name")) != system.name) return {};
                const auto made = reconcile::json::Time(At(item, "metadata", "creationTimestamp"));
                std::string outcome = "waits";
                std::string message;
                for (const core::Condition& condition :
                     reconcile::DecodeConditions(At(item, "status", "conditions"))) {
                  if (condition.status != core::ConditionStatus::True) continue;
                  outcome = condition.type == "Failed" ? "refused: " + condition.reason
                                                       : condition.reason;
                  message = condition.message;
                }
                return std::pair{made.value_or(sys_seconds{}),
                                 Row{{Escaped(Text(At(item, "metadata", "name")))},
                                     {Escaped(Text(At(item, "spec", "action")))},
                                     {Escaped(outcome)},
                                     {made ? Relative(*made, now) : ""},
                                     {Shortened(message)}}};
              });
}

void PrintEvents(const Session& session, const SystemView& system, sys_seconds now) {
  PrintRecent(session, "Events", kEvents, fmt::format("involvedObject.uid={}", system.uid),
              {"WHEN", "TYPE", "REASON", "MESSAGE"},
              [&](const json& item) -> std::optional<std::pair<sys_seconds, Row>> {
                auto at = reconcile::json::Time(At(item, "lastTimestamp"));
                if (!at) at = reconcile::json::Time(At(item, "eventTime"));
                const std::string type = Text(At(item, "type"));
                return std::pair{at.value_or(sys_seconds{}),
                                 Row{{at ? Relative(*at, now) : ""},
                                     {Escaped(type), type == "Warning" ? Tint::Warn : Tint::None},
                                     {Escaped(Text(At(item, "reason")))},
                                     {Shortened(Text(At(item, "message")))}}};
              });
}

}  // namespace

Outcome Describe(const Session& session, const DescribeCommand& command) {
  auto found = ReadSystem(session, command.name);
  if (!found) return std::unexpected(std::move(found.error()));
  const SystemView& system = found->view;
  const sys_seconds now = session.clock.NowSeconds();
  const Console& console = session.console;
  const core::Condition* expiring = system.Condition("ExpiringSoon");
  if (expiring != nullptr && expiring->status == core::ConditionStatus::True) {
    console.Print(
        console.Coloured(UrgencyOf(system, now) == Tint::None ? Tint::Warn : UrgencyOf(system, now),
                         "WARNING: " + Shortened(expiring->message)));
    console.Print("");
  }
  PrintHead(console, system, now);
  console.Print("");
  PrintCertificates(console, system, now);
  PrintConditions(console, system);
  PrintSubscribers(console, system, found->object, now);
  PrintOperations(session, system, now);
  PrintEvents(session, system, now);
  return {};
}

}  // namespace certpair::plugin
