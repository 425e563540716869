#include "simulation/mint.hpp"

#include <algorithm>
#include <charconv>

namespace certpair::sim {
namespace {

constexpr std::string_view kCertificate = "cert:";
constexpr std::string_view kKey = "key:";
constexpr std::string_view kCa = "ca:";

std::string Numbered(std::string_view prefix, std::size_t number) {
  return std::string{prefix} + std::to_string(number);
}

std::optional<std::size_t> NumberOf(std::string_view prefix, std::string_view text) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// As a digest would look: `octets` of them, different from the first on.
std::string FingerprintLike(std::uint64_t number, std::size_t octets) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::uint64_t bits = (number + 1) * 0x9E3779B97F4A7C15ULL;
  std::string text;
  text.reserve(octets * 3);
  for (std::size_t i = 0; i < octets; ++i) {
    if (i > 0) text += ':';
    text += kHex[bits >> 60U];
    text += kHex[(bits >> 56U) & 15U];
    bits = (bits << 8U) | (bits >> 56U);
  }
  return text;
}

}  // namespace

std::string Mint::CaFingerprint(int number) {
  return FingerprintLike(0xCA0000ULL + static_cast<std::uint64_t>(number), 32);
}

Ca& Mint::Open(const std::string& authority, sys_seconds not_before, sys_seconds chain_end) {
  Ca& ca = authorities_[authority];
  ca = {.number = next_ca_++, .not_before = not_before, .chain_end = chain_end};
  return ca;
}

Ca* Mint::Find(const std::string& authority) {
  const auto found = authorities_.find(authority);
  return found == authorities_.end() ? nullptr : &found->second;
}

const Mint::Entry* Mint::EntryOf(std::optional<std::size_t> number) const {
  return number && *number < certificates_.size() ? &certificates_[*number] : nullptr;
}

const core::Certificate* Mint::Known(std::string_view pem) const {
  const Entry* entry = EntryOf(NumberOf(kCertificate, pem));
  return entry == nullptr ? nullptr : &entry->details;
}

const core::Certificate* Mint::Intact(std::string_view certificate, std::string_view key,
                                      std::string_view ca) const {
  const auto number = NumberOf(kCertificate, certificate);
  const Entry* entry = EntryOf(number);
  const bool intact = entry != nullptr && NumberOf(kKey, key) == number &&
                      NumberOf(kCa, ca) == static_cast<std::size_t>(entry->ca);
  return intact ? &entry->details : nullptr;
}

Result<std::optional<x509::IssuedCertificate>> Mint::Make(const std::string& owner,
                                                          const std::string& authority,
                                                          const core::CertificateOrder& order) {
  if (trouble) return std::unexpected(*trouble);
  const Ca* ca = Find(authority);
  if (ca == nullptr || !ca->signs) return Fail(ErrorCode::Invalid, "the authority cannot sign");
  if (order.not_before < ca->not_before || order.not_after > ca->chain_end)
    return Fail(ErrorCode::Invalid, "the order does not lie within the authority's time");
  if (key_is_there && !key_is_there(owner, order)) return std::nullopt;
  if (key_delay) {
    const auto now = clock_.Steady();
    const auto found = pending_.find(owner);
    if (found == pending_.end()) {
      const auto wait = key_delay();
      pending_.emplace(owner, now + wait);
      if (key_ordered) key_ordered(owner, wait);
      return std::nullopt;
    }
    if (now < found->second) return std::nullopt;
    pending_.erase(found);
  }
  const std::size_t number = certificates_.size();
  core::Certificate details{.fingerprint = FingerprintLike(number, 32),
                            .fingerprint_sha1 = FingerprintLike(number, 20),
                            .subject = *SubjectString(order.subject),
                            .issuer = "CN=" + authority,
                            .serial_number = Numbered("", number),
                            .signature_algorithm = "none",
                            .key = order.key,
                            .not_before = order.not_before,
                            .not_after = order.not_after,
                            .issuer_fingerprint = CaFingerprint(ca->number),
                            .pem = Numbered(kCertificate, number)};
  certificates_.push_back({details, ca->number});
  return x509::IssuedCertificate{.certificate_pem = details.pem,
                                 .key_pem = SecretString{Numbered(kKey, number)},
                                 .ca_pem = Numbered(kCa, static_cast<std::size_t>(ca->number)),
                                 .details = std::move(details)};
}

Result<core::Certificate> Mint::ReadSlot(std::string_view certificate, std::string_view key,
                                         std::string_view authority) const {
  if (const core::Certificate* intact = Intact(certificate, key, authority)) return *intact;
  return Fail(ErrorCode::Invalid, "certificate, key and CA do not belong together");
}

std::string Mint::KeystorePrefix(std::string_view certificate) {
  certificate.remove_prefix(std::min(kCertificate.size(), certificate.size()));
  return "p12:" + std::string{certificate} + ":";
}

Result<SecretString> Mint::EncodeKeystore(std::string_view certificate, std::string_view key,
                                          std::string_view authority, const SecretString& password,
                                          const std::string&) const {
  if (Intact(certificate, key, authority) == nullptr)
    return Fail(ErrorCode::Internal, "a key store of what does not belong together");
  return SecretString{KeystorePrefix(certificate) + std::string{password.Reveal()}};
}

Result<std::string> Mint::SubjectString(const core::Subject& subject) const {
  return "CN=" + subject.common_name;
}

}  // namespace certpair::sim
