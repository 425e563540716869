#include "kube/tls_setup.hpp"

#include <tuple>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "kube/endpoint.hpp"

namespace certpair::kube {
namespace {

namespace asio = boost::asio;

int ExpectationIndex() {
  static const int kIndex = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return kIndex;
}

TlsExpectation* ExpectationOf(const SSL* ssl) {
  return static_cast<TlsExpectation*>(
      SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ExpectationIndex()));
}

// OpenSSL has judged already; this only keeps the reason for the message.
int KeepReason(int verified, X509_STORE_CTX* chain) {
  if (verified == 0) {
    const auto* ssl = static_cast<const SSL*>(
        X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
    if (TlsExpectation* expectation = ExpectationOf(ssl))
      expectation->last_failure = X509_STORE_CTX_get_error(chain);
  }
  return verified;
}

// The HTTP library sets SNI and a name check of its own on each connection, by the host it connects
// to (which is wrong with tls-server-name) and with a fall-back to the CN. Both are replaced here,
// at the last moment before the ClientHello.
void OnHandshakeStart(const SSL* const_ssl, int where, int /*value*/) {
  if ((where & SSL_CB_HANDSHAKE_START) == 0) return;
  auto* ssl =
      const_cast<SSL*>(const_ssl);  // OpenSSL's callback type has the const, its setters do not
  if (SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE) SSL_set_verify(ssl, SSL_VERIFY_PEER, KeepReason);
  if (const TlsExpectation* expectation = ExpectationOf(ssl);
      expectation != nullptr && !IsIpAddress(expectation->name))
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(expectation->name.c_str()));  // copied
}

// Without it an encrypted key makes OpenSSL ask on the terminal.
int NoPassword(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) { return 0; }

std::unexpected<Error> Refuse(std::string_view field, std::string_view why) {
  return Fail(ErrorCode::Invalid, fmt::format("{}: {}", field, why));
}

Result<void> LoadIdentity(asio::ssl::context& context, const TlsMaterial& material) {
  boost::system::error_code failed;
  std::ignore = context.use_certificate_chain(asio::buffer(material.certificate), failed);
  if (failed) return Refuse("client-certificate", "this is not a certificate in PEM");
  const std::string_view key = material.key.Reveal();
  std::ignore = context.use_private_key(asio::buffer(key.data(), key.size()),
                                        asio::ssl::context::pem, failed);
  if (failed &&
      ERR_GET_REASON(static_cast<unsigned long>(failed.value())) == X509_R_KEY_VALUES_MISMATCH)
    return Refuse("client-key", "it does not belong to client-certificate");
  if (failed) return Refuse("client-key", "this is not a private key in PEM (without a password)");
  if (SSL_CTX_check_private_key(context.native_handle()) != 1)
    return Refuse("client-key", "it does not belong to client-certificate");
  return {};
}

}  // namespace

Result<void> SetUpTls(asio::ssl::context& context, const TlsMaterial& material,
                      TlsExpectation& expectation) {
  SSL_CTX* handle = context.native_handle();
  SSL_CTX_set_cert_store(handle, X509_STORE_new());
  SSL_CTX_set_min_proto_version(handle, TLS1_2_VERSION);
  SSL_CTX_set_default_passwd_cb(handle, NoPassword);
  SSL_CTX_set_ex_data(handle, ExpectationIndex(), &expectation);
  SSL_CTX_set_info_callback(handle, OnHandshakeStart);
  if (expectation.verify) {
    boost::system::error_code failed;
    std::ignore = context.add_certificate_authority(asio::buffer(material.authority), failed);
    if (failed) return Refuse("certificate-authority", "it contains no usable PEM certificate");
    X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(handle);
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    const int set = IsIpAddress(expectation.name)
                        ? X509_VERIFY_PARAM_set1_ip_asc(rules, expectation.name.c_str())
                        : X509_VERIFY_PARAM_set1_host(rules, expectation.name.c_str(), 0);
    if (set != 1) return Refuse("tls-server-name", "it is not a host name");
  }
  if (!material.certificate.empty()) return LoadIdentity(context, material);
  return {};
}

Result<void> CheckTls(const TlsMaterial& material, TlsExpectation& expectation) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  auto usable = SetUpTls(context, material, expectation);
  ERR_clear_error();
  return usable;
}

std::string DescribeVerifyFailure(int code) {
  if (code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH)
    return "the server's certificate is for another name";
  return X509_verify_cert_error_string(code);
}

std::string DescribeTlsError(unsigned long code) {
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "";
}

}  // namespace certpair::kube
