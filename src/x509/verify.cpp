#include "x509/verify.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <openssl/objects.h>
#include <openssl/x509_vfy.h>

#include "x509/name.hpp"
#include "x509/validity.hpp"

namespace certpair::x509 {

template <>
void Deleter<X509_STORE>::operator()(X509_STORE* object) const noexcept {
  X509_STORE_free(object);
}
template <>
void Deleter<NAME_CONSTRAINTS>::operator()(NAME_CONSTRAINTS* object) const noexcept {
  NAME_CONSTRAINTS_free(object);
}

namespace {

// 80 bits: SHA-1 and MD5 are refused, as by the TLS stacks of the last years.
constexpr int kSecurityLevel = 1;
constexpr std::size_t kLongestConstraint = 512;  // of its text, for a message

using Context =
    std::unique_ptr<X509_STORE_CTX, decltype([](X509_STORE_CTX* c) { X509_STORE_CTX_free(c); })>;

bool IsOfForm(int error) {
  switch (error) {
    case X509_V_ERR_CA_BCONS_NOT_CRITICAL:
    case X509_V_ERR_CA_CERT_MISSING_KEY_USAGE:
    case X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER:
    case X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER:
    case X509_V_ERR_AUTHORITY_KEY_IDENTIFIER_CRITICAL:
    case X509_V_ERR_SUBJECT_KEY_IDENTIFIER_CRITICAL:
      return true;
    default:
      return false;
  }
}

bool IsOfNames(int error) {
  return error == X509_V_ERR_PERMITTED_VIOLATION || error == X509_V_ERR_EXCLUDED_VIOLATION;
}

int GoOn(int good, X509_STORE_CTX* context) {
  const int error = X509_STORE_CTX_get_error(context);
  return good == 1 || IsOfForm(error) ? 1 : 0;
}

int GoOnDespiteNames(int good, X509_STORE_CTX* context) {
  const bool is_leafs_name =
      X509_STORE_CTX_get_error_depth(context) == 0 && IsOfNames(X509_STORE_CTX_get_error(context));
  return is_leafs_name ? 1 : GoOn(good, context);
}

Handle<STACK_OF(X509)> StackOf(const Path& path) {
  Handle<STACK_OF(X509)> stack{sk_X509_new_null()};
  for (const CertificateHandle& certificate : path) {
    if (!stack || X509_add_cert(stack.get(), certificate.get(), X509_ADD_FLAG_UP_REF) != 1) {
      return {};
    }
  }
  return stack;
}

std::string Shorten(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  std::string words;
  for (const char c : text) {
    if (c != ' ' || (!words.empty() && words.back() != ' ')) words += c;
  }
  if (words.ends_with(' ')) words.pop_back();
  if (words.size() > kLongestConstraint) words.resize(kLongestConstraint);
  return words;
}

// As OpenSSL prints it: `Permitted: DirName:O = Example`.
std::string Print(X509* certificate) {
  const int at = X509_get_ext_by_NID(certificate, NID_name_constraints, -1);
  const Handle<BIO> text{BIO_new(BIO_s_mem())};
  if (at < 0 || !text ||
      X509V3_EXT_print(text.get(), X509_get_ext(certificate, at), XN_FLAG_ONELINE, 0) != 1) {
    return "unreadable";
  }
  return Shorten(std::string{BytesOf(text.get())});
}

}  // namespace

Result<Verifier> Verifier::Of(const Path& path) {
  Handle<X509_STORE> anchor{X509_STORE_new()};
  Handle<STACK_OF(X509)> others = StackOf(path);
  if (path.empty() || !anchor || !others ||
      X509_STORE_add_cert(anchor.get(), path.back().get()) != 1) {
    return OpenSslFailed("prepare the verification of certificates");
  }
  std::vector<Constraint> constraints;
  for (const CertificateHandle& certificate : path) {
    Handle<NAME_CONSTRAINTS> names{static_cast<NAME_CONSTRAINTS*>(
        X509_get_ext_d2i(certificate.get(), NID_name_constraints, nullptr, nullptr))};
    if (names) {
      constraints.push_back(
          {std::move(names), SubjectOf(certificate.get()), Print(certificate.get())});
    }
  }
  return Verifier{std::move(anchor), std::move(others), std::move(constraints)};
}

Result<void> Verifier::Run(X509* made, bool names_count) const {
  const Context context{X509_STORE_CTX_new()};
  // Decoded anew, as a peer reads it: one that was just put together has no public key to use.
  const CertificateHandle copy{X509_dup(made)};
  X509* leaf = copy.get();
  if (!context || leaf == nullptr ||
      X509_STORE_CTX_init(context.get(), anchor_.get(), leaf, others_.get()) != 1 ||
      X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_CLIENT) != 1) {
    return OpenSslFailed("verify a certificate");
  }
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  // The anchor is the top of the path that the CA's Secret gave, be it a root or not.
  X509_VERIFY_PARAM_set_flags(
      rules, X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_POLICY_CHECK);
  X509_VERIFY_PARAM_set_auth_level(rules, kSecurityLevel);
  X509_VERIFY_PARAM_set_time(rules, NotBefore(leaf).time_since_epoch().count());
  X509_STORE_CTX_set_verify_cb(context.get(), names_count ? GoOn : GoOnDespiteNames);
  if (X509_verify_cert(context.get()) == 1) return {};
  const int error = X509_STORE_CTX_get_error(context.get());
  const int depth = X509_STORE_CTX_get_error_depth(context.get());
  X509* at = X509_STORE_CTX_get_current_cert(context.get());
  const std::string where =
      depth > 0 && at != nullptr ? fmt::format(" (at {})", SubjectOf(at)) : std::string{};
  return Fail(ErrorCode::Invalid, fmt::format("verifiers would refuse the certificate: {}{}",
                                              X509_verify_cert_error_string(error), where));
}

Result<void> Verifier::Check(X509* leaf) const {
  if (auto named = CheckName(X509_get_subject_name(leaf)); !named) return named;
  return Run(leaf, true);
}

Result<void> Verifier::CheckButForNames(X509* leaf) const { return Run(leaf, false); }

Result<void> Verifier::CheckName(const X509_NAME* subject) const {
  if (constraints_.empty()) return {};
  const CertificateHandle named{X509_new()};
  if (!named || X509_set_subject_name(named.get(), subject) != 1) {
    return OpenSslFailed("look at the name constraints");
  }
  for (const Constraint& constraint : constraints_) {
    NAME_CONSTRAINTS* names = constraint.names.get();
    int said = NAME_CONSTRAINTS_check(named.get(), names);
    if (said == X509_V_OK) said = NAME_CONSTRAINTS_check_CN(named.get(), names);
    if (said == X509_V_OK) continue;
    return Fail(ErrorCode::Invalid,
                fmt::format("verifiers would refuse a certificate for {}: the nameConstraints of "
                            "the CA certificate {} do not let it have this subject ({})",
                            NameString(subject), constraint.authority, constraint.text));
  }
  return {};
}

std::string UnknownCriticalExtensions(X509* certificate) {
  std::string unknown;
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    X509_EXTENSION* extension = X509_get_ext(certificate, i);
    if (X509_EXTENSION_get_critical(extension) == 0 || X509_supported_extension(extension) == 1) {
      continue;
    }
    std::array<char, 128> dotted{};
    OBJ_obj2txt(dotted.data(), static_cast<int>(dotted.size()),
                X509_EXTENSION_get_object(extension), 1);
    if (!unknown.empty()) unknown += ", ";
    unknown += dotted.data();
  }
  return unknown;
}

}  // namespace certpair::x509
