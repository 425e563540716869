#include "x509/validity.hpp"

#include <ctime>

#include <openssl/asn1.h>

namespace certpair::x509 {
namespace {

using std::chrono::sys_days;
using namespace std::chrono_literals;

constexpr sys_seconds kFirst = sys_days{1950y / 1 / 1};
constexpr sys_seconds kLast = sys_days{9999y / 12 / 31} + 23h + 59min + 59s;

sys_seconds ToTime(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  const std::chrono::year_month_day date{
      std::chrono::year{parts.tm_year + 1900},
      std::chrono::month{static_cast<unsigned>(parts.tm_mon + 1)},
      std::chrono::day{static_cast<unsigned>(parts.tm_mday)}};
  return sys_days{date} + std::chrono::hours{parts.tm_hour} + std::chrono::minutes{parts.tm_min} +
         seconds{parts.tm_sec};
}

bool Set(ASN1_TIME* field, sys_seconds time) {
  // Not by system_clock::to_time_t: it counts nanoseconds on the way, and overflows in 2262.
  return ASN1_TIME_set(field, time.time_since_epoch().count()) != nullptr;
}

}  // namespace

Result<void> SetValidity(X509* certificate, sys_seconds not_before, sys_seconds not_after) {
  if (not_before < kFirst || not_after > kLast) {
    return Fail(ErrorCode::Invalid, "the validity is outside of the years 1950 to 9999");
  }
  if (not_after <= not_before) {
    return Fail(ErrorCode::Invalid, "the validity ends before it starts");
  }
  if (!Set(X509_getm_notBefore(certificate), not_before) ||
      !Set(X509_getm_notAfter(certificate), not_after)) {
    return OpenSslFailed("set the validity");
  }
  return {};
}

sys_seconds NotBefore(const X509* certificate) { return ToTime(X509_get0_notBefore(certificate)); }
sys_seconds NotAfter(const X509* certificate) { return ToTime(X509_get0_notAfter(certificate)); }

}  // namespace certpair::x509
