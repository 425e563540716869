#include "reconcile/objects.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <tuple>
#include <variant>

#include "base/match.hpp"
#include "reconcile/names.hpp"

namespace certpair::reconcile {
namespace {

// One by one: there are few, and `find` would want the name as a string of its own.
std::string Find(const TextMap& map, std::string_view name) {
  const auto found =
      std::ranges::find_if(map, [&](const auto& entry) { return entry.first == name; });
  return found == map.end() ? std::string{} : found->second;
}

std::optional<std::uint64_t> ParseVersion(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A digest of a status is asked for twice a pass and never leaves the process: eight bytes at a
// time, with the multiplier of Fibonacci hashing (Knuth).
constexpr std::uint64_t kSeed = 0xCBF29CE484222325ULL;
std::uint64_t Mix(std::uint64_t digest, std::uint64_t value) {
  digest = (digest ^ value) * 0x9E3779B97F4A7C15ULL;
  return digest ^ (digest >> 32U);
}

// With its length, so that "ab","c" differs from "a","bc".
std::uint64_t Add(std::uint64_t digest, std::string_view text) {
  digest = Mix(digest, text.size());
  std::uint64_t value = 0;
  for (; text.size() >= sizeof value; text.remove_prefix(sizeof value)) {
    std::memcpy(&value, text.data(), sizeof value);
    digest = Mix(digest, value);
  }
  value = 0;
  for (const char c : text) value = (value << 8U) | static_cast<unsigned char>(c);
  return text.empty() ? digest : Mix(digest, value);
}

std::uint64_t Add(std::uint64_t digest, std::int64_t number) {
  return Mix(digest, static_cast<std::uint64_t>(number));
}

std::uint64_t Add(std::uint64_t digest, sys_seconds time) {
  return Add(digest, std::int64_t{time.time_since_epoch().count()});
}

std::uint64_t Add(std::uint64_t digest, const std::optional<core::Certificate>& certificate) {
  if (!certificate) return Add(digest, "none");
  const core::Certificate& c = *certificate;
  for (const std::string* text : {&c.fingerprint, &c.fingerprint_sha1, &c.subject, &c.issuer,
                                  &c.serial_number, &c.signature_algorithm, &c.issuer_fingerprint})
    digest = Add(digest, *text);
  digest = Add(digest, core::ToString(c.key.algorithm));
  digest = Add(digest, std::int64_t{c.key.size});
  return Add(Add(digest, c.not_before), c.not_after);
}

}  // namespace

std::string StoredAuthority::SecretName() const {
  return std::visit(
      Match{[](const core::AuthorityFromSecret& given) { return given.secret_name; },
            [&](const core::AuthorityGenerated&) { return GeneratedSecretName(identity.name); }},
      source);
}

std::string SecretMetadata::Annotation(std::string_view wanted) const {
  return Find(annotations, wanted);
}
std::string SecretMetadata::Label(std::string_view wanted) const { return Find(labels, wanted); }

std::string_view LiveSecret::Data(std::string_view key) const {
  const auto found = data.find(key);
  return found == data.end() ? std::string_view{} : found->second.Reveal();
}

bool HasReached(const std::string& seen, const std::string& wanted) {
  if (seen == wanted) return true;
  const auto seen_number = ParseVersion(seen);
  const auto wanted_number = ParseVersion(wanted);
  return !seen_number || !wanted_number || *seen_number >= *wanted_number;
}

bool CreatedBefore(const StoredOperation& a, const StoredOperation& b) {
  const auto rank = [](const StoredOperation& o) {
    const auto version = o.operation.finished ? std::nullopt : ParseVersion(o.resource_version);
    return std::tuple{o.operation.created, version, std::string_view{o.operation.name}};
  };
  return rank(a) < rank(b);
}

std::uint64_t PemsDigest(const core::SystemStatus& status) {
  std::uint64_t digest = kSeed;
  for (const auto* slot : {&status.active, &status.inactive})
    if (*slot) digest = Add(digest, (*slot)->pem);
  return digest;
}

std::uint64_t StatusDigest(const core::SystemStatus& status, std::uint64_t pems_digest) {
  std::uint64_t digest = Mix(kSeed, pems_digest);
  digest = Add(digest, status.observed_generation);
  for (const core::Condition& condition : status.conditions) {
    digest = Add(Add(digest, condition.type), core::ToString(condition.status));
    digest = Add(Add(digest, condition.reason), condition.message);
    digest = Add(digest, condition.observed_generation);
    digest = Add(digest, condition.last_transition);
  }
  digest = Add(Add(digest, status.active), status.inactive);
  digest = Add(Add(digest, status.secret_name), status.secret_resource_version);
  digest = Add(Add(digest, std::int64_t{status.secret_blocked}), status.held_fingerprint);
  if (status.next) digest = Add(Add(digest, status.next->action), status.next->at);
  for (const sys_seconds at : status.automatic_issuances) digest = Add(digest, at);
  digest = Add(digest, std::int64_t(status.automatic_issuances.size()));
  for (const core::LedgerEntry& entry : status.ledger.entries)
    digest = Add(digest, core::FormatLedgerEntry(entry));
  for (const auto* reply : {&status.ledger.failure, &status.ledger.delay})
    digest = *reply ? Add(Add(digest, (*reply)->notice_id), (*reply)->words) : Add(digest, "none");
  for (const core::NotificationSummary& row : status.ledger.summary) {
    digest = Add(Add(Add(digest, row.threshold), row.fingerprint), row.at);
    digest = Add(Add(digest, std::int64_t{row.recipients}), std::int64_t{row.failed});
  }
  return digest;
}

}  // namespace certpair::reconcile
