// Ownership of OpenSSL's objects.
#pragma once

#include <memory>

struct evp_pkey_st;
struct x509_st;

namespace certpair::x509 {

/// The one deleter of all OpenSSL objects: a specialisation a type, in openssl.cpp.
template <class T>
struct Deleter {
  void operator()(T* object) const noexcept;
};
template <>
void Deleter<evp_pkey_st>::operator()(evp_pkey_st* object) const noexcept;
template <>
void Deleter<x509_st>::operator()(x509_st* object) const noexcept;

/// Owns one OpenSSL object; move-only.
template <class T>
using Handle = std::unique_ptr<T, Deleter<T>>;

using KeyHandle = Handle<evp_pkey_st>;
using CertificateHandle = Handle<x509_st>;

}  // namespace certpair::x509
