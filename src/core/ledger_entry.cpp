#include "core/ledger_entry.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <utility>

#include "base/match.hpp"

namespace certpair::core {
namespace {

constexpr std::string_view kEvent = "event";
constexpr std::size_t kDigitsOfFingerprint = 16;

constexpr std::array<std::pair<MailState, std::string_view>, 4> kStates{
    {{MailState::Due, "due"},
     {MailState::Sent, "sent"},
     {MailState::Refused, "refused"},
     {MailState::GivenUp, "given-up"}}};

std::string_view WordOf(MailState state) {
  return std::ranges::find(kStates, state, &std::pair<MailState, std::string_view>::first)->second;
}

// The text before the next slash; the slash goes with it.
std::string_view TakePart(std::string_view& text) {
  const std::size_t slash = text.find('/');
  const std::string_view part = text.substr(0, slash);
  text.remove_prefix(slash == std::string_view::npos ? text.size() : slash + 1);
  return part;
}

std::string Join(std::initializer_list<std::string_view> parts) {
  std::string line;
  for (const std::string_view part : parts) {
    if (part.data() != parts.begin()->data()) line += '/';
    line += part;
  }
  return line;
}

}  // namespace

LedgerEntry ParseLedgerEntry(std::string_view line) {
  const OtherEntry other{std::string{line}};
  const std::string_view word = TakePart(line);
  if (word == kEvent) {
    const bool has_both = line.find('/') != std::string_view::npos;
    EventEntry event{std::string{TakePart(line)}, std::string{line}};
    return has_both ? LedgerEntry{std::move(event)} : LedgerEntry{other};
  }
  const auto state =
      std::ranges::find(kStates, word, &std::pair<MailState, std::string_view>::second);
  if (state == kStates.end()) return other;
  MailEntry mail{state->first, std::string{TakePart(line)}, std::string{TakePart(line)},
                 std::string{line}};
  if (mail.id.empty() || mail.id.find('/') != std::string::npos) return other;
  return mail;
}

std::string FormatLedgerEntry(const LedgerEntry& entry) {
  return std::visit(
      Match{[](const EventEntry& event) {
              return Join({kEvent, event.certificate, event.threshold});
            },
            [](const MailEntry& mail) {
              return Join({WordOf(mail.state), mail.certificate, mail.threshold, mail.id});
            },
            [](const OtherEntry& other) { return other.line; }},
      entry);
}

std::string ShortFingerprint(std::string_view fingerprint) {
  std::string digits;
  digits.reserve(kDigitsOfFingerprint);
  for (const char c : fingerprint) {
    if (c != ':') digits += c;
    if (digits.size() == kDigitsOfFingerprint) break;
  }
  return digits;
}

bool IsShortOf(std::string_view digits, std::string_view fingerprint) {
  std::size_t matched = 0;
  for (const char c : fingerprint) {
    if (c == ':') continue;
    if (matched == kDigitsOfFingerprint) break;
    if (matched == digits.size() || digits[matched] != c) return false;
    ++matched;
  }
  return matched == digits.size();
}

}  // namespace certpair::core
