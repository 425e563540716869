// Any octets as the three fields of a Secret (two NUL octets divide them): a slot of a pair, a
// CA's.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <openssl/err.h>

#include "x509/authority.hpp"
#include "x509/certificate.hpp"

namespace {

void Want(bool good) {
  if (!good) std::abort();
}

std::string_view TakeField(std::string_view& rest) {
  const std::size_t end = rest.find('\0');
  const std::string_view field = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return field;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace certpair::x509;  // NOLINT(google-build-using-namespace): one function
  std::string_view rest{reinterpret_cast<const char*>(data), size};
  const std::string_view certificate = TakeField(rest);
  const std::string_view key = TakeField(rest);
  if (const auto slot = ReadSlot(certificate, key, rest)) {
    Want(!slot->issuer_fingerprint.empty() && !slot->pem.empty());
  } else {
    Want(slot.error().code == certpair::ErrorCode::Invalid);
  }
  const certpair::sys_seconds now{std::chrono::seconds{1'800'000'000}};
  if (const auto signer = Signer::Load(certificate, key, rest, now)) {
    Want(signer->Facts().not_before <= now && signer->Facts().chain_end >= now);
  } else {
    Want(!signer.error().message.empty());
  }
  Want(ERR_peek_error() == 0);
  return 0;
}
