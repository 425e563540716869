#include "notify/reply.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/ascii.hpp"
#include "base/log.hpp"
#include "notify/text.hpp"

namespace certpair::notify {
namespace {

constexpr std::size_t kLongestLine = 600;  // RFC 5321 §4.5.3.1.5 allows 512
constexpr std::size_t kLongestReply = 1000;
constexpr std::size_t kMostOffers = 8192;
constexpr std::size_t kMostBytes = std::size_t{256} << 10;
constexpr std::size_t kLongestQuote = 200;

int CodeOf(std::string_view line) {
  if (line.size() < 3 || !std::ranges::all_of(line.substr(0, 3), &IsAsciiDigit)) return 0;
  return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

// RFC 3463 §2: the middle number of `5.7.1` at the beginning; -1: missing.
int SubjectOf(std::string_view text) {
  if (text.size() < 5 || !IsAsciiDigit(text[0]) || text[1] != '.' || !IsAsciiDigit(text[2]))
    return -1;
  return text[3] == '.' ? text[2] - '0' : -1;
}

// `<anna@example.com>`, `anna@example.com:`, and whatever else has an @ in it.
std::string WithoutAddresses(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (!clean.empty()) clean += ' ';
    if (word.find('@') == std::string_view::npos)
      clean += word;
    else
      clean += "[address]";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return clean;
}

}  // namespace

bool ReplyReader::Read(std::string_view bytes) {
  total_ += bytes.size();
  if (total_ > kMostBytes) return false;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::size_t taken = std::min(end, bytes.size());
    line_ += bytes.substr(0, std::min(taken, kLongestLine - std::min(kLongestLine, line_.size())));
    bytes.remove_prefix(std::min(taken + (end == std::string_view::npos ? 0 : 1), bytes.size()));
    if (end != std::string_view::npos && !EndLine()) return false;
  }
  return true;
}

bool ReplyReader::EndLine() {
  while (!line_.empty() && (line_.back() == '\r' || line_.back() == ' ')) line_.pop_back();
  const std::string line = std::exchange(line_, {});
  const int code = CodeOf(line);
  if (code == 0) return true;  // no line of a reply
  const bool more = line.size() > 3 && line[3] == '-';
  const std::string text = line.size() > 4 ? line.substr(4) : "";
  if (building_.text.size() + text.size() < kLongestReply)
    building_.text += (building_.text.empty() ? "" : " ") + text;
  if (collects_offers_ && offers_.size() + text.size() < kMostOffers) {
    std::ranges::transform(text, std::back_inserter(offers_), UpperAscii);
    offers_ += '\n';
  }
  if (more) return true;
  building_.code = code;
  last_ = std::exchange(building_, {});
  collects_offers_ = false;
  return true;
}

void ReplyReader::ExpectOffers() {
  offers_ = "\n";
  collects_offers_ = true;
}

bool ReplyReader::Offers(std::string_view keyword) const {
  const std::string start = fmt::format("\n{}", keyword);
  for (std::size_t at = 0; (at = offers_.find(start, at)) != std::string::npos; ++at) {
    const char next = offers_[at + start.size()];
    if (next == '\n' || next == ' ' || next == '=') return true;
  }
  return false;
}

bool ReplyReader::OffersLogin(std::string_view mechanism) const {
  constexpr std::string_view kAuth = "\nAUTH ";
  for (std::size_t at = offers_.find(kAuth); at != std::string::npos;
       at = offers_.find(kAuth, at + 1)) {
    const std::size_t start = at + kAuth.size();
    const std::string line = offers_.substr(start, offers_.find('\n', start) - start);
    if (fmt::format(" {} ", line).contains(fmt::format(" {} ", mechanism))) return true;
  }
  return false;
}

std::string_view Describe(Stage stage) {
  switch (stage) {
    case Stage::Connect:
      return "while connecting";
    case Stage::Greeting:
      return "at the greeting";
    case Stage::Hello:
      return "at EHLO";
    case Stage::Secure:
      return "at STARTTLS";
    case Stage::Login:
      return "at the login";
    case Stage::Sender:
      return "at MAIL FROM";
    case Stage::Recipient:
      return "at RCPT TO";
    case Stage::Data:
      return "at DATA";
    case Stage::Body:
      return "after the message text";
  }
  return "";
}

std::string Quote(Stage stage, const Reply& reply) {
  if (stage == Stage::Login) {
    const bool enhanced = SubjectOf(reply.text) >= 0;
    return enhanced ? fmt::format("{} {}", reply.code, reply.text.substr(0, reply.text.find(' ')))
                    : fmt::format("{}", reply.code);
  }
  return OneLine(
      log::Redact(WithoutAddresses(OneLine(fmt::format("{} {}", reply.code, reply.text), 500))),
      kLongestQuote);
}

}  // namespace certpair::notify
