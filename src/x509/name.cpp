#include "x509/name.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <openssl/objects.h>

#include "x509/text.hpp"

namespace certpair::x509 {
namespace {

constexpr int kMaxAttributes = 64;

// One kind of attribute, with its upper bound in characters (RFC 5280 §A.1).
struct Attribute {
  int nid;
  const char* field;
  std::size_t max_characters;
};
constexpr Attribute kCommonName{NID_commonName, "commonName", 64};
constexpr Attribute kOrganization{NID_organizationName, "organizations", 64};
constexpr Attribute kUnit{NID_organizationalUnitName, "organizationalUnits", 64};
constexpr Attribute kCountry{NID_countryName, "countries", 2};
constexpr Attribute kLocality{NID_localityName, "localities", 128};
constexpr Attribute kProvince{NID_stateOrProvinceName, "provinces", 128};

bool IsLetter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

std::optional<std::string> WhyNot(const Attribute& attribute, std::string_view value) {
  if (value.empty()) return fmt::format("{} holds an empty value", attribute.field);
  if (attribute.nid == NID_countryName) {
    if (value.size() == 2 && std::ranges::all_of(value, IsLetter)) return std::nullopt;
    return fmt::format("{} holds something else than a country code of two letters (DE)",
                       attribute.field);
  }
  // A character has at most four octets.
  const bool is_long = value.size() > attribute.max_characters * 4;
  const auto count = is_long ? value.size() : CountCharacters(value);
  if (!count) {
    return fmt::format("{} holds a control character or octets that are not UTF-8",
                       attribute.field);
  }
  if (*count <= attribute.max_characters) return std::nullopt;
  return fmt::format("{} holds a value of more than {} characters, RFC 5280's upper bound",
                     attribute.field, attribute.max_characters);
}

Result<void> Add(X509_NAME* name, const Attribute& attribute, std::span<const std::string> values) {
  for (const std::string& value : values) {
    if (auto why = WhyNot(attribute, value)) {
      return Fail(ErrorCode::Invalid, "the subject's " + std::move(*why));
    }
    if (X509_NAME_entry_count(name) >= kMaxAttributes) {
      return Fail(ErrorCode::Invalid,
                  fmt::format("the subject has more than {} attributes", kMaxAttributes));
    }
    const int type = attribute.nid == NID_countryName ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING;
    const auto* bytes = reinterpret_cast<const unsigned char*>(value.data());
    if (X509_NAME_add_entry_by_NID(name, attribute.nid, type, bytes, static_cast<int>(value.size()),
                                   -1, 0) != 1) {
      return OpenSslFailed("encode the subject");
    }
  }
  return {};
}

}  // namespace

Result<Handle<X509_NAME>> EncodeName(const core::Subject& subject) {
  Handle<X509_NAME> name{X509_NAME_new()};
  if (!name) return OpenSslFailed("encode the subject");
  const std::span<const std::string> common_name{&subject.common_name,
                                                 subject.common_name.empty() ? 0U : 1U};
  const std::array<std::pair<Attribute, std::span<const std::string>>, 6> attributes{
      {{kCountry, subject.countries},
       {kProvince, subject.provinces},
       {kLocality, subject.localities},
       {kOrganization, subject.organizations},
       {kUnit, subject.organizational_units},
       {kCommonName, common_name}}};
  for (const auto& [attribute, values] : attributes) {
    if (auto done = Add(name.get(), attribute, values); !done) {
      return std::unexpected(std::move(done.error()));
    }
  }
  if (X509_NAME_entry_count(name.get()) == 0) {
    return Fail(ErrorCode::Invalid, "the subject is empty: give at least a commonName");
  }
  return name;
}

std::string NameString(const X509_NAME* name) {
  constexpr unsigned long kReadable =
      XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  for (const unsigned long flags : {kReadable, kReadable | ASN1_STRFLGS_DUMP_ALL}) {
    const Handle<BIO> output{BIO_new(BIO_s_mem())};
    if (output && X509_NAME_print_ex(output.get(), name, 0, flags) >= 0) {
      return std::string{BytesOf(output.get())};
    }
  }
  return {};
}

}  // namespace certpair::x509
