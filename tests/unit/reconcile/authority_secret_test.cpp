// What an authority's Secret is read as, and what follows from that.
#include "reconcile/authority_secret.hpp"

#include <gtest/gtest.h>

#include "reconcile/names.hpp"
#include "support/certificates.hpp"

namespace certpair::reconcile {
namespace {

using std::chrono::hours;

LiveSecret SecretWith(const test::PemPair& pair, const std::string& above = {}) {
  LiveSecret secret;
  secret.metadata.resource_version = "7";
  secret.data["tls.crt"] = SecretString{pair.certificate + above};
  secret.data["tls.key"] = SecretString{pair.key};
  return secret;
}

core::AuthorityDecision Decided(const LiveSecret& secret, sys_seconds now) {
  StoredAuthority authority;
  authority.identity.name = "ca";
  authority.source = core::AuthorityFromSecret{.secret_name = "ca"};
  return core::DecideAuthority({.write_failure = {},
                                .identity = authority.identity,
                                .source = authority.source,
                                .status = {},
                                .secret = ReadAuthoritySecret(&secret, authority, now).state,
                                .has_key_of_status = false,
                                .now = now});
}

std::string Ready(const core::AuthorityDecision& decision) {
  return decision.status.conditions.at(0).reason;
}

TEST(AuthoritySecret, A_future_chain_is_read_again_when_it_begins) {
  const sys_seconds now = test::kLongAgo + hours{24 * 365};
  test::CertificateOptions root_options;
  root_options.common_name = "Root";
  root_options.not_before = now + hours{1};
  test::CertificateOptions options;
  options.not_before = now + hours{2};
  const test::PemPair root = test::MakeAuthority(root_options);
  const LiveSecret secret = SecretWith(test::MakeAuthority(options, root), root.certificate);
  const auto first = Decided(secret, now);
  EXPECT_EQ(Ready(first), "NotYetValid");
  ASSERT_EQ(first.wake_at, now + hours{2});
  EXPECT_EQ(Ready(Decided(secret, *first.wake_at - seconds{1})), "NotYetValid");
  EXPECT_EQ(Ready(Decided(secret, *first.wake_at)), "Usable");
}

// Else it would sign with the key of an authority whose `allow` is not its own.
TEST(AuthoritySecret, Of_another_authority_is_refused_and_its_key_not_read) {
  const test::PemPair pair = test::MakeAuthority();
  const struct {
    const char* name;
    const char* label;
    const char* reason;
    const char* says;
  } table[] = {{"mine", "", "Usable", ""},
               {"mine", "ca", "Usable", ""},
               {"certpair-ca-ca", "ca", "Usable", ""},
               {"certpair-ca-ca", "", "Usable", ""},
               {"mine", "other", "SecretNotOurs", "label certpair.dev/authority=other"},
               {"certpair-ca-other", "other", "SecretNotOurs", "label"},
               {"certpair-ca-other", "", "SecretNotOurs", "named certpair-ca-"},
               {"certpair-ca-other", "ca", "SecretNotOurs", "named certpair-ca-"}};
  for (const auto& row : table) {
    SCOPED_TRACE(std::string{row.name} + " " + row.label);
    LiveSecret secret = SecretWith(pair);
    secret.metadata.name = row.name;
    if (*row.label != 0) secret.metadata.labels[std::string{kAuthorityLabel}] = row.label;
    const auto decided = Decided(secret, test::kLongAgo + hours{1});
    EXPECT_EQ(Ready(decided), row.reason);
    EXPECT_NE(decided.status.conditions.at(0).message.find(row.says), std::string::npos);
    StoredAuthority authority;
    authority.identity.name = "ca";
    authority.source = core::AuthorityFromSecret{.secret_name = row.name};
    const bool usable = std::string{row.reason} == "Usable";
    EXPECT_EQ(ReadAuthoritySecret(&secret, authority, test::kLongAgo + hours{1}).signer.has_value(),
              usable);
  }
}

}  // namespace
}  // namespace certpair::reconcile
