#include <algorithm>
#include <cstddef>

#include "core/certificate.hpp"

namespace certpair::core {
namespace {

constexpr std::size_t kOctets = 32;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<std::string> CanonicalFingerprint(std::string_view text) {
  const bool colons = text.size() == kOctets * 3 - 1;
  if (!colons && text.size() != kOctets * 2) return std::nullopt;
  std::string canonical(kOctets * 3 - 1, ':');
  auto place = canonical.begin();
  std::size_t at = 0;
  for (std::size_t octet = 0; octet < kOctets; ++octet) {
    if (octet != 0) {
      if (colons && text[at++] != ':') return std::nullopt;
      ++place;
    }
    for (int half = 0; half < 2; ++half) {
      const int digit = HexDigit(text[at++]);
      if (digit < 0) return std::nullopt;
      *place++ = "0123456789ABCDEF"[digit];
    }
  }
  return canonical;
}

std::string_view ToString(KeyAlgorithm algorithm) {
  switch (algorithm) {
    case KeyAlgorithm::Rsa:
      return "RSA";
    case KeyAlgorithm::Ecdsa:
      return "ECDSA";
    case KeyAlgorithm::Ed25519:
      return "Ed25519";
  }
  return "";
}

}  // namespace certpair::core
