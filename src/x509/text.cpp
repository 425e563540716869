#include "x509/text.hpp"

#include <algorithm>

#include <openssl/asn1.h>

namespace certpair::x509 {
namespace {

bool IsControl(unsigned long c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

}  // namespace

std::optional<std::size_t> CountCharacters(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) {
    unsigned long c = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    const int used = UTF8_getc(bytes, static_cast<int>(std::min<std::size_t>(text.size(), 6)), &c);
    const bool is_surrogate = c >= 0xD800 && c <= 0xDFFF;
    if (used <= 0 || is_surrogate || c > 0x10FFFF || IsControl(c)) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(used));
  }
  return count;
}

}  // namespace certpair::x509
