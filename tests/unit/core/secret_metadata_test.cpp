// Which labels and annotations of spec.secret reach the Secret, and what is said of the others.
#include "core/secret_metadata.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/core/builders.hpp"

namespace certpair::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kCondition = "SecretMetadataAllowed";

Installation Allowing(std::vector<std::string> patterns) {
  Installation installation;
  installation.secret_metadata_allow = std::move(patterns);
  return installation;
}

TEST(SecretMetadata, An_installation_that_lists_no_key_allows_none) {
  for (const char* key : {"team", "team.example.com/x", "reflector.v1.k8s.emberstack.com/reflects"})
    EXPECT_FALSE(IsAllowedOnSecret(key, {})) << key;
}

TEST(SecretMetadata, A_key_is_allowed_by_its_name_or_its_beginning) {
  struct Row {
    const char* pattern;
    const char* key;
    bool allowed;
  };
  const Row rows[] = {{"team", "team", true},
                      {"team", "team2", false},
                      {"team", "TEAM", false},
                      {"example.com/team", "example.com/team", true},
                      {"example.com/team", "other.example.com/team", false},
                      {"example.com/*", "example.com/team", true},
                      {"example.com/*", "example.com.evil.io/team", false},
                      {"example.com/*", "sub.example.com/team", false},
                      {"team*", "team-a", true},
                      {"team*", "team", true},
                      // What is reserved stays so, whatever the installation lists.
                      {"certpair*", "certpair.dev/system-uid", false},
                      {"x*", "x.certpair.dev/y", false},
                      {"a*", "app.kubernetes.io/managed-by", false},
                      {"my*", "mykubernetes.io/y", false},
                      {"m*", "metadata.k8s.io/y", false},
                      {"certpair.dev/x", "certpair.dev/x", false},
                      {"certpair*", "certpair.development/x", true},
                      {"kubernetes.io", "kubernetes.io", true}};  // a key without a domain
  for (const Row& row : rows)
    EXPECT_EQ(IsAllowedOnSecret(row.key, Allowing({"other", row.pattern})), row.allowed)
        << row.pattern << " " << row.key;
}

TEST(SecretMetadata, A_pattern_that_allows_all_or_never_fits_is_refused) {
  for (const char* good : {"team", "team*", "example.com/*", "example.com/team", "a_b.c-d/E*"})
    EXPECT_EQ(FaultOfKeyPattern(good), std::nullopt) << good;
  const std::string longest(317, 'a');
  EXPECT_EQ(FaultOfKeyPattern(longest), std::nullopt);
  for (const std::string& bad :
       {std::string{}, std::string{"*"}, std::string{"a b"}, std::string{"a*b"}, std::string{"**"},
        std::string{"a/b/c"}, std::string{"/a"}, std::string{"team=x"}, longest + "a",
        std::string{"certpair.dev/*"}, std::string{"sub.certpair.dev/x"},
        std::string{"app.kubernetes.io/name"}, std::string{"k8s.io/*"}})
    EXPECT_TRUE(FaultOfKeyPattern(bad)) << bad;
}

Observation Labelled(Installation installation) {
  Observation o = Fresh();
  o.installation = std::move(installation);
  o.spec.secret.labels = {{"team", "a"}, {"velero.io/exclude", "x"}};
  o.spec.secret.annotations = {{"example.com/note", "n"}};
  return WithPair(std::move(o), Made(1, kNow - days{200}));
}

TEST(SecretMetadata, Without_the_keys_that_are_refused_the_rest_is_written) {
  const Observation o = Labelled(Allowing({"team", "example.com/*"}));
  const AllowedMetadata allowed = AllowedMetadataOf(o.spec.secret, o.installation);
  EXPECT_EQ(allowed.labels, (TextMap{{"team", "a"}}));
  EXPECT_EQ(allowed.annotations, (TextMap{{"example.com/note", "n"}}));
  EXPECT_THAT(RefusedMetadata(o.spec.secret, o.installation),
              ElementsAre("label \"velero.io/exclude\""));
}

TEST(SecretMetadata, The_condition_names_the_key_and_what_to_do) {
  const Observation o = Labelled(Allowing({"team", "example.com/*"}));
  EXPECT_EQ(Says(o.status, kCondition), "False/KeyNotAllowed");
  const std::string message = MessageOf(o.status, kCondition);
  for (const char* part : {"label \"velero.io/exclude\"", "--secret-metadata-allow",
                           "controller.secretMetadataAllow", "\"abap-prod-outbound\""})
    EXPECT_THAT(message, HasSubstr(part));
  EXPECT_THAT(message, Not(HasSubstr("\"team\"")));
  EXPECT_EQ(Says(o.status, "Ready"), "True/Valid") << "certificates do not wait for it";
}

TEST(SecretMetadata, The_condition_is_there_only_where_the_spec_has_such_keys) {
  Observation o = Labelled(Allowing({"team", "example.com/*", "velero.io/*"}));
  EXPECT_EQ(Says(o.status, kCondition), "True/Allowed");
  o.spec.secret.labels.clear();
  o.spec.secret.annotations.clear();
  EXPECT_EQ(Decide(o).status.Find(kCondition), nullptr);
}

TEST(SecretMetadata, A_refusal_is_one_Event_and_names_a_bounded_number_of_keys) {
  Observation o = Labelled(Allowing({"team", "example.com/*", "velero.io/*"}));
  for (int i = 0; i < 32; ++i)
    o.spec.secret.labels.emplace(fmt::format("{}{}/x", std::string(240, 'a'), i), "v");
  const Decision first = Decide(o);
  const auto told = [](const Decision& decision) {
    return std::ranges::count(decision.events, "KeyNotAllowed", &EventNotice::reason);
  };
  EXPECT_EQ(told(first), 1);
  EXPECT_LT(MessageOf(first.status, kCondition).size(), 2'000U);
  EXPECT_THAT(MessageOf(first.status, kCondition), HasSubstr("and 27 more"));
  o.status = first.status;
  EXPECT_EQ(told(Decide(o)), 0);
}

}  // namespace
}  // namespace certpair::core::testing
