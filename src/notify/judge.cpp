// What follows from a reply other than success.
#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "base/ascii.hpp"
#include "notify/reply.hpp"

namespace certpair::notify {
namespace {

// Replies without enhanced codes differ by words alone. The lists are in upper case and name the
// servers that use the words. These a change of settings, or time, can end:
constexpr std::array<std::string_view, 33> kMayEnd{
    "RELAY",       // Postfix "Relay access denied", Exim "relay not permitted", Exchange
    "RCPTHOSTS",   // qmail "isn't in my list of allowed rcpthosts"
    "AUTH",        // "authentication required", "not authorized", "authenticate first"
    "LOGIN",       // "login required"
    "LOG IN",      // the same
    "SENDER",      // Exim "Sender verify failed", Postfix "Sender address rejected"
    "FROM",        // "MAIL FROM domain", "mail from your host"
    "VERIF",       // Amazon SES "Email address is not verified"
    "CLIENT",      // Postfix "Client host rejected"
    "HELO",        // Postfix "Helo command rejected"
    "EHLO",        // Exim "EHLO does not match"
    "HOSTNAME",    // Postfix "cannot find your hostname"
    "REVERSE",     // "no reverse DNS"
    "PTR",         // Gmail, GMX
    "DNS",         // "DNSBL", "bad DNS"
    "BLOCK",       // Postfix "blocked using", Exchange "block list"
    "BLACK",       // "blacklisted"
    "LISTED",      // "listed at"
    "DENYLIST",    // "on our denylist"
    "SPAM",        // Spamhaus, Spamcop, "considered spam"
    "REPUTATION",  // Gmail, Cisco
    "SPF",         // RFC 7372
    "DKIM",        // the same
    "DMARC",       // the same
    "TLS",         // "Must issue a STARTTLS command first"
    "ENCRYPT",     // "encryption required"
    "POLICY",      // "for policy reasons"
    "GREY",        // "greylisted", as 5xx
    "TRY AGAIN",   // some servers say it with 5xx
    "TOO MANY",    // RFC 5321 §4.5.3.1.10
    "RATE",        // "rate limit exceeded"
    "QUOTA",       // a full mailbox, or ours for sending
    "FULL",        // "mailbox full": it may be emptied
};

// These no setting of ours can end.
constexpr std::array<std::string_view, 15> kAboutRecipient{
    "UNKNOWN",                     // Postfix, Sendmail "User unknown"
    "NO SUCH",                     // Exim "No Such User Here"
    "NOT FOUND",                   // "mailbox not found"
    "NOT EXIST",                   // Gmail "does not exist"
    "N'T EXIST",                   // "doesn't exist"
    "NO MAILBOX",                  // qmail "no mailbox here by that name"
    "MAILBOX UNAVAILABLE",         // RFC 5321 §4.2.3
    "INVALID RECIPIENT",           // Exchange, Cisco
    "INVALID MAILBOX",             // iCloud
    "RECIPIENT REJECTED",          // Cisco
    "RECIPIENT ADDRESS REJECTED",  // Postfix
    "UNROUTEABLE",                 // Exim "Unrouteable address"
    "DISABLED",                    // "account disabled"
    "INACTIVE",                    // "account inactive"
    "NO LONGER",                   // "no longer with us"
};

constexpr std::array<std::string_view, 3> kAboutSize{"SIZE", "TOO LARGE", "TOO BIG"};

template <std::size_t N>
bool HasOneOf(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.contains(word); });
}

// RFC 3463 §2: subject and detail of `5.7.1` at the beginning; some write `#5.7.1`.
struct Enhanced {
  int subject = 0;
  int detail = 0;
};

std::optional<Enhanced> EnhancedOf(std::string_view text) {
  if (text.starts_with('#')) text.remove_prefix(1);
  if (text.size() < 5 || !IsAsciiDigit(text[0]) || text[1] != '.' || !IsAsciiDigit(text[2]) ||
      text[3] != '.')
    return std::nullopt;
  Enhanced code{.subject = text[2] - '0'};
  const auto read = std::from_chars(text.data() + 4, text.data() + text.size(), code.detail);
  return read.ec == std::errc{} ? std::optional{code} : std::nullopt;
}

// Nothing: the words decide (x.x.0, and policy, which may concern us or the recipient).
std::optional<Verdict> JudgeEnhanced(const Enhanced& code) {
  constexpr auto kRefused = Verdict::Refused;
  constexpr auto kDelayed = Verdict::DelayedAlone;
  constexpr int kContent = 6;
  constexpr int kPolicy = 7;
  if (code.subject == kContent) return kRefused;
  if (code.detail == 0 || code.subject == 0 || code.subject == kPolicy) return std::nullopt;
  switch (code.subject) {
    case 1:  // addresses; 5.1.7 and 5.1.8 are the sender's
      return code.detail == 7 || code.detail == 8 ? kDelayed : kRefused;
    case 2:  // the mailbox: 5.2.1 disabled, 5.2.3 takes none so long; 5.2.2 full
      return code.detail == 1 || code.detail == 3 ? kRefused : kDelayed;
    case 3:  // the mail system: 5.3.4 takes none so large
      return code.detail == 4 ? kRefused : kDelayed;
    case 4:  // the way: 5.4.1 is Exchange Online's for no such recipient, 5.4.4 knows no way
      return code.detail == 1 || code.detail == 4 ? kRefused : kDelayed;
    default:
      return kDelayed;
  }
}

Verdict JudgeWords(Stage stage, const Reply& reply) {
  std::string upper;
  std::ranges::transform(reply.text, std::back_inserter(upper), UpperAscii);
  if (HasOneOf(upper, kMayEnd)) return Verdict::DelayedAlone;
  const bool about_recipient = reply.code == 551 || reply.code == 556 || reply.code == 501 ||
                               HasOneOf(upper, kAboutRecipient);
  const bool about_size = stage != Stage::Recipient && HasOneOf(upper, kAboutSize);
  return about_recipient || about_size ? Verdict::Refused : Verdict::DelayedAlone;
}

Verdict JudgeForGood(Stage stage, const Reply& reply) {
  switch (reply.code) {
    case 521:  // RFC 7504 §3: this host takes no mail at all
      return Verdict::DelayedAll;
    case 501:  // of an address that it cannot read
    case 550:
    case 551:  // RFC 5321 §3.4: not here
    case 552:
    case 553:
    case 554:
    case 556: {  // RFC 7504 §4: the recipient's domain takes no mail
      const auto code = EnhancedOf(reply.text);
      const auto verdict = code ? JudgeEnhanced(*code) : std::nullopt;
      return verdict.value_or(JudgeWords(stage, reply));
    }
    default:  // 500, 502, 503, 504, 530, 555 …: we and the server do not understand each other
      return Verdict::DelayedAlone;
  }
}

}  // namespace

Verdict Judge(Stage stage, const Reply& reply) {
  const bool for_good = reply.code >= 500 && reply.code < 600;
  if (reply.code == 421) return Verdict::DelayedAll;  // RFC 5321 §3.8: it is closing
  const bool about_this_mail = stage >= Stage::Recipient;
  if (!about_this_mail) {
    // RFC 1870 §6.1: larger than the server takes.
    const bool too_large = stage == Stage::Sender && reply.code == 552;
    return too_large ? Verdict::Refused : Verdict::DelayedAll;
  }
  return for_good ? JudgeForGood(stage, reply) : Verdict::DelayedAlone;
}

}  // namespace certpair::notify
