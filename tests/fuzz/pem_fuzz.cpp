// Any octets as a PEM text: of certificates, and of a private key.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <openssl/err.h>

#include "x509/certificate.hpp"
#include "x509/key.hpp"

namespace {

void Want(bool good) {
  if (!good) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace certpair::x509;  // NOLINT(google-build-using-namespace): one function
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto certificates = ParseCertificates(text)) {
    Want(!certificates->empty() && certificates->size() <= kMaxChain);
    for (const auto& certificate : *certificates) {
      const auto details = Describe(certificate.get());
      Want(details.fingerprint.size() == 32 * 3 - 1);
      // What was read can be written, and is the same when it is read again.
      const auto again = ParseCertificates(ToPem(certificate.get()));
      Want(again && again->size() == 1);
      Want(Fingerprint(again->front().get()) == details.fingerprint);
    }
  } else {
    Want(certificates.error().code == certpair::ErrorCode::Invalid);
    Want(!certificates.error().message.empty() && certificates.error().message.size() < 300);
  }
  if (const auto key = ParseKey(text)) {
    Want(IsOffered(key->Spec()));
    Want(ParseKey(key->ToPem().Reveal()).has_value());
  }
  Want(ERR_peek_error() == 0);
  return 0;
}
