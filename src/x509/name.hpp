// Distinguished names. Private to this folder.
#pragma once

#include <string>

#include "base/result.hpp"
#include "core/certificate.hpp"
#include "x509/openssl.hpp"

namespace certpair::x509 {

/// `subject` in DER: one attribute an RDN, in the order C, ST, L, O, OU, CN; PrintableString for
/// the country (RFC 5280 §A.1), UTF8String for the rest (§4.1.2.4). Invalid: empty, bytes that are
/// not UTF-8, control characters, longer than RFC 5280's upper bounds, too many attributes.
[[nodiscard]] Result<Handle<X509_NAME>> EncodeName(const core::Subject& subject);

/// RFC 4514 §2; UTF-8 is not escaped, control characters are.
[[nodiscard]] std::string NameString(const X509_NAME* name);

}  // namespace certpair::x509
