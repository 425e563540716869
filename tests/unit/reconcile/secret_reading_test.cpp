#include "reconcile/secret_reading.hpp"

#include <algorithm>

#include <gmock/gmock.h>

#include "pair_fixture.hpp"

namespace certpair::reconcile {
namespace {

using core::CertificatePair;
using core::Damaged;
using testing::HasSubstr;

class SecretReadingTest : public PairTest {
 protected:
  [[nodiscard]] core::SecretState State(const LiveSecret& secret) const {
    return Read(secret).state;
  }
  [[nodiscard]] Damaged DamagedState(const LiveSecret& secret) const {
    const auto state = State(secret);
    const auto* damaged = std::get_if<Damaged>(&state);
    EXPECT_NE(damaged, nullptr) << "state " << state.index();
    return damaged != nullptr ? *damaged : Damaged{};
  }
};

TEST_F(SecretReadingTest, No_Secret_is_Missing) {
  EXPECT_TRUE(std::holds_alternative<core::Missing>(
      ReadSecretInDepth(nullptr, system, authority, installation, reader).state));
}

TEST_F(SecretReadingTest, A_whole_pair_is_read_with_what_stands_beside_it) {
  LiveSecret secret = Full();
  const core::Receipt receipt{.operation_uid = "op",
                              .action = core::OperationAction::Generate,
                              .fingerprint = second.details.fingerprint};
  secret.metadata.annotations[std::string{kReceiptAnnotation}] = core::FormatReceipt(receipt);
  secret.metadata.annotations[std::string{kBudgetAnnotation}] = "100,200";
  secret.metadata.annotations[std::string{kRenewedAnnotation}] = first.details.fingerprint;
  const SecretReading reading = Read(secret);
  EXPECT_EQ(std::get<CertificatePair>(reading.state),
            (CertificatePair{first.details, second.details}));
  EXPECT_EQ(reading.resource_version, "7");
  EXPECT_FALSE(reading.metadata_differs);
  EXPECT_EQ(reading.receipt, receipt);
  EXPECT_EQ(reading.budget.automatic.size(), 2U);
  EXPECT_EQ(reading.renewed, first.details.fingerprint);
}

TEST_F(SecretReadingTest, An_active_certificate_alone_is_a_pair) {
  const auto state = State(Full(false));
  EXPECT_FALSE(std::get<CertificatePair>(state).inactive);
}

// What a text may look like and still be the same certificate.
TEST_F(SecretReadingTest, Other_line_ends_are_accepted) {
  const auto crlf = [](std::string text) {
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2)
      text.insert(at, "\r");
    return text;
  };
  using Edit = std::function<std::string(std::string)>;
  const std::pair<const char*, Edit> edits[] = {
      {"CRLF", crlf},
      {"no last newline",
       [](std::string t) {
         t.pop_back();
         return t;
       }},
      {"a blank line at the end", [](std::string t) { return t + "\n"; }},
      {"a blank line before", [](std::string t) { return "\n" + t; }},
      {"text before", [](std::string t) { return "Subject: someone\n" + t; }}};
  for (const auto& [name, edit] : edits) {
    for (const std::string_view key : {"tls.crt", "tls.key", "ca.crt"}) {
      LiveSecret secret = Full();
      Set(secret, key, edit(std::string{secret.Data(key)}));
      const auto state = State(secret);
      const auto* pair = std::get_if<CertificatePair>(&state);
      ASSERT_NE(pair, nullptr) << name << " in " << key;
      EXPECT_EQ(pair->active, first.details);
    }
  }
}

TEST_F(SecretReadingTest, Damage_of_the_active_slot_is_named_and_spares_the_other) {
  using Edit = std::function<void(LiveSecret&)>;
  const x509::IssuedCertificate stranger = Issue("somebody-else");
  const std::pair<const char*, Edit> edits[] = {
      {"no certificate", [](auto& s) { s.data.erase("tls.crt"); }},
      {"no key", [](auto& s) { s.data.erase("tls.key"); }},
      {"no CA", [](auto& s) { s.data.erase("ca.crt"); }},
      {"garbage", [](auto& s) { Set(s, "tls.crt", "garbage"); }},
      {"a megabyte of junk", [](auto& s) { Set(s, "tls.crt", std::string(1 << 20, 'x')); }},
      {"half a certificate",
       [](auto& s) { Set(s, "tls.crt", std::string{s.Data("tls.crt").substr(0, 300)}); }},
      {"the other's key", [](auto& s) { Set(s, "tls.key", std::string{s.Data("inactive.key")}); }},
      {"another DN", [&](auto& s) { Put(s, kActiveKeys, stranger); }}};
  for (const auto& [name, edit] : edits) {
    LiveSecret secret = Full();
    edit(secret);
    const Damaged damaged = DamagedState(secret);
    EXPECT_FALSE(damaged.intact_active) << name;
    EXPECT_EQ(damaged.intact_inactive, second.details) << name;
    EXPECT_THAT(damaged.what, HasSubstr("the active slot")) << name;
    EXPECT_THAT(damaged.what, testing::Not(HasSubstr("PRIVATE"))) << name;
  }
}

TEST_F(SecretReadingTest, What_is_broken_in_the_inactive_slot_leaves_the_active_one) {
  LiveSecret secret = Full();
  secret.data.erase("inactive.key");
  const Damaged damaged = DamagedState(secret);
  EXPECT_EQ(damaged.intact_active, first.details);
  EXPECT_FALSE(damaged.intact_inactive);
  EXPECT_THAT(damaged.what, HasSubstr("the inactive slot"));
}

TEST_F(SecretReadingTest, Both_broken_are_both_told) {
  LiveSecret secret = Full();
  Set(secret, "tls.crt", "x");
  Set(secret, "inactive.crt", "x");
  EXPECT_THAT(DamagedState(secret).what,
              testing::AllOf(HasSubstr("the active slot"), HasSubstr("the inactive slot")));
}

TEST_F(SecretReadingTest, An_empty_Secret_of_ours_is_damaged_not_missing) {
  EXPECT_THAT(DamagedState(Empty()).what, HasSubstr("empty"));
}

TEST_F(SecretReadingTest, The_same_certificate_twice_counts_once) {
  LiveSecret secret = Full();
  Put(secret, kInactiveKeys, first);
  const Damaged damaged = DamagedState(secret);
  EXPECT_EQ(damaged.intact_active, first.details);
  EXPECT_FALSE(damaged.intact_inactive);
}

TEST_F(SecretReadingTest, Slots_swapped_as_a_whole_are_a_pair) {
  LiveSecret secret = Empty();
  Put(secret, kActiveKeys, second);
  Put(secret, kInactiveKeys, first);
  EXPECT_EQ(std::get<CertificatePair>(State(secret)),
            (CertificatePair{second.details, first.details}));
}

TEST_F(SecretReadingTest, A_CA_that_the_authority_had_before_still_counts) {
  authority.earlier_fingerprints = {authority.fingerprint};
  authority.fingerprint = "AN:OTHER";
  EXPECT_TRUE(std::holds_alternative<CertificatePair>(State(Full())));
}

// Ours by its annotation, and sound in itself: but neither authority nor status knows its CA.
TEST_F(SecretReadingTest, A_certificate_of_an_unknown_CA_does_not_count) {
  const x509::IssuedCertificate foreign = test::MakeClient(test::MakeAuthority(), "abap");
  LiveSecret planted = Full();
  Put(planted, kActiveKeys, foreign);
  system.status.observed_generation = 1;
  EXPECT_THAT(DamagedState(planted).what, HasSubstr("neither is nor was"));
  system.status.active = first.details;
  system.status.inactive = second.details;
  const Damaged damaged = DamagedState(planted);
  EXPECT_FALSE(damaged.intact_active);
  EXPECT_EQ(damaged.intact_inactive, second.details);
  // Nor where the authority has forgotten its earlier CAs, or is not there.
  authority.fingerprint = "AN:OTHER";
  EXPECT_FALSE(DamagedState(planted).intact_active);
  authority.fingerprint.clear();
  EXPECT_FALSE(DamagedState(planted).intact_active);
}

// Its status was wiped, or it was deleted and made again: what it knew of earlier CAs is gone.
TEST_F(SecretReadingTest, A_listed_certificate_outlives_a_forgetful_authority) {
  system.status.observed_generation = 1;
  system.status.active = first.details;
  authority.fingerprint = "AN:OTHER";
  EXPECT_EQ(std::get<CertificatePair>(State(Full())),
            (CertificatePair{first.details, second.details}));
  authority.fingerprint.clear();
  EXPECT_TRUE(std::holds_alternative<CertificatePair>(State(Full())));
  LiveSecret broken = Full();
  Set(broken, "tls.key", std::string{broken.Data("inactive.key")});
  EXPECT_FALSE(DamagedState(broken).intact_active) << "what is broken is broken all the same";
}

TEST_F(SecretReadingTest, Where_nothing_remembers_any_CA_a_sound_pair_of_ours_counts) {
  authority.fingerprint = "AN:OTHER";
  EXPECT_TRUE(std::holds_alternative<CertificatePair>(State(Full())));
  system.spec.subject.common_name = "another";
  EXPECT_TRUE(std::holds_alternative<Damaged>(State(Full())));
}

TEST_F(SecretReadingTest, A_retained_Secret_is_the_authoritys_to_vouch_for_alone) {
  LiveSecret secret = Full();
  secret.metadata.owners.clear();
  secret.metadata.annotations[std::string{kSystemUidAnnotation}] = "u-0";
  authority.fingerprint = "AN:OTHER";
  const auto state = State(secret);
  EXPECT_FALSE(std::get<core::Retained>(state).adoptable);
}

TEST_F(SecretReadingTest, A_retained_Secret_needs_an_authority_that_vouches_for_it) {
  LiveSecret secret = Full();
  secret.metadata.owners.clear();
  secret.metadata.annotations[std::string{kSystemUidAnnotation}] = "u-0";
  authority = {.name = "ca"};
  EXPECT_FALSE(std::get<core::Retained>(State(secret)).adoptable);
}

TEST_F(SecretReadingTest, A_missing_authority_rules_out_no_certificate) {
  authority = {.name = "ca"};
  EXPECT_TRUE(std::holds_alternative<CertificatePair>(State(Full())));
}

TEST_F(SecretReadingTest, An_immutable_Secret_shows_its_pair) {
  LiveSecret secret = Full();
  secret.immutable = true;
  EXPECT_EQ(std::get<core::Immutable>(State(secret)).pair,
            (CertificatePair{first.details, second.details}));
  Set(secret, "inactive.crt", "x");
  EXPECT_EQ(std::get<core::Immutable>(State(secret)).pair,
            (CertificatePair{first.details, std::nullopt}));
  Set(secret, "tls.crt", "x");
  EXPECT_FALSE(std::get<core::Immutable>(State(secret)).pair);
}

// R20: the annotation alone proves it.
struct Ownership {
  const char* name;
  bool label;
  std::string uid;  // of the annotation; empty: none
  std::optional<OwnerReference> owner;
  bool being_deleted;
  enum { Ours, Foreign, Collectable, Retained } wanted;
};

TEST_F(SecretReadingTest, Whose_it_is_the_annotation_says) {
  const OwnerReference ours{"certpair.dev/v1", "ProvisioningSystem", "abap", "u-1", true};
  OwnerReference earlier = ours;
  earlier.uid = "u-0";
  OwnerReference other = earlier;
  other.name = "other";
  const OwnerReference deployment{"apps/v1", "Deployment", "d", "u-9", true};
  const Ownership cases[] = {
      {"all as it should be", true, "u-1", ours, false, Ownership::Ours},
      {"the label is gone", false, "u-1", ours, false, Ownership::Ours},
      {"the owner is gone", true, "u-1", {}, false, Ownership::Ours},
      {"nothing says anything", false, "", {}, false, Ownership::Foreign},
      {"a label proves nothing", true, "", {}, false, Ownership::Foreign},
      {"nor does an owner", true, "", ours, false, Ownership::Foreign},
      {"another system's uid, no label", false, "u-0", {}, false, Ownership::Foreign},
      {"another system's", true, "u-0", other, false, Ownership::Foreign},
      {"an earlier system's, which the collector takes", true, "u-0", earlier, false,
       Ownership::Collectable},
      {"an earlier system's that is going", true, "u-0", {}, true, Ownership::Collectable},
      {"an earlier system's that it retained", true, "u-0", {}, false, Ownership::Retained},
      {"retained, and owned by something else", true, "u-0", deployment, false,
       Ownership::Retained}};
  for (const Ownership& c : cases) {
    SCOPED_TRACE(c.name);
    LiveSecret secret = Full();
    secret.metadata.being_deleted = c.being_deleted;
    secret.metadata.owners.clear();
    if (c.owner) secret.metadata.owners.push_back(*c.owner);
    if (!c.label) secret.metadata.labels.clear();
    secret.metadata.annotations.erase(std::string{kSystemUidAnnotation});
    if (!c.uid.empty()) secret.metadata.annotations[std::string{kSystemUidAnnotation}] = c.uid;
    const auto state = State(secret);
    const auto* foreign = std::get_if<core::NotOurs>(&state);
    const auto* retained = std::get_if<core::Retained>(&state);
    EXPECT_EQ(std::holds_alternative<CertificatePair>(state), c.wanted == Ownership::Ours);
    EXPECT_EQ(foreign != nullptr && !foreign->collectable, c.wanted == Ownership::Foreign);
    EXPECT_EQ(foreign != nullptr && foreign->collectable, c.wanted == Ownership::Collectable);
    EXPECT_EQ(retained != nullptr && retained->adoptable, c.wanted == Ownership::Retained);
  }
}

TEST_F(SecretReadingTest, A_retained_Secret_that_does_not_fit_says_why) {
  LiveSecret secret = Full();
  secret.metadata.owners.clear();
  secret.metadata.annotations[std::string{kSystemUidAnnotation}] = "u-0";
  system.spec.subject.common_name = "another";
  const auto state = State(secret);
  const auto& retained = std::get<core::Retained>(state);
  EXPECT_FALSE(retained.adoptable);
  EXPECT_THAT(retained.why_not, HasSubstr("CN=another"));
}

TEST_F(SecretReadingTest, Metadata_that_differs_is_noticed_and_what_others_add_is_not) {
  using Edit = std::function<void(SecretMetadata&)>;
  const std::tuple<const char*, Edit, bool> cases[] = {
      {"nothing", [](auto&) {}, false},
      {"our label gone", [](auto& m) { m.labels.erase(std::string{kManagedByLabel}); }, true},
      {"our label changed", [](auto& m) { m.labels[std::string{kSystemLabel}] = "x"; }, true},
      {"a label of others", [](auto& m) { m.labels["x"] = "y"; }, false},
      {"an annotation of others", [](auto& m) { m.annotations["x"] = "y"; }, false},
      {"our owner gone", [](auto& m) { m.owners.clear(); }, true},
      {"an owner beside ours",
       [](auto& m) { m.owners.push_back({"v1", "Kind", "n", "u-9", false}); }, false},
      {"another controller",
       [](auto& m) {
         m.owners[0].controller = false;
         m.owners.push_back({"v1", "Kind", "n", "u-9", true});
       },
       false}};
  for (const auto& [name, edit, differs] : cases) {
    LiveSecret secret = Full();
    edit(secret.metadata);
    const SecretReading reading = Read(secret);
    EXPECT_EQ(reading.metadata_differs || reading.owner_differs, differs) << name;
    EXPECT_EQ(reading.owner_differs, differs && name == std::string{"our owner gone"}) << name;
  }
  system.spec.secret.labels["team"] = "a";
  const SecretMetadata without_label = [&] {
    auto metadata = Full().metadata;
    metadata.labels.erase("team");
    return metadata;
  }();
  EXPECT_TRUE(ReadSecretByStatus(without_label, system, installation).metadata_differs);
}

TEST_F(SecretReadingTest, Metadata_removed_from_the_spec_leaves_the_Secret) {
  system.spec.secret.labels = {{"team", "a"}, {"stage", "prod"}};
  system.spec.secret.annotations = {{"example.com/note", "x"}};
  SecretMetadata metadata = Full().metadata;
  metadata.labels["others"] = "1";
  metadata.annotations["others"] = "1";
  EXPECT_FALSE(MetadataDiffers(metadata, system, installation));

  system.spec.secret.labels.erase("stage");
  EXPECT_TRUE(MetadataDiffers(metadata, system, installation));
  StaleMetadata stale = StaleMetadataOf(metadata, system, installation);
  EXPECT_THAT(stale.labels, testing::ElementsAre("stage"));
  EXPECT_TRUE(stale.annotations.empty());

  system.spec.secret.labels.clear();
  system.spec.secret.annotations.clear();
  stale = StaleMetadataOf(metadata, system, installation);
  EXPECT_THAT(stale.labels, testing::UnorderedElementsAre("team", "stage"));
  EXPECT_THAT(stale.annotations,
              testing::UnorderedElementsAre("example.com/note", std::string{kTemplateAnnotation}));
}

TEST_F(SecretReadingTest, A_key_that_is_not_allowed_is_not_wanted_and_is_taken_off) {
  const std::string reflector = "reflector.v1.k8s.emberstack.com/reflection-allowed";
  system.spec.secret.labels = {{"team", "a"}, {"velero.io/x", "y"}};
  system.spec.secret.annotations = {{reflector, "true"}, {"example.com/note", "x"}};
  const WantedMetadata wanted = WantedMetadataOf(system, installation);
  EXPECT_TRUE(wanted.labels.contains("team"));
  EXPECT_FALSE(wanted.labels.contains("velero.io/x"));
  EXPECT_FALSE(wanted.annotations.contains(reflector));
  EXPECT_EQ(wanted.annotations.at(std::string{kTemplateAnnotation}),
            "label:team annotation:example.com/note");

  // As an installation wrote it that allowed more.
  installation.secret_metadata_allow = {"team", "example.com/*", "velero.io/*", "reflector.*"};
  const SecretMetadata written = Full().metadata;
  EXPECT_TRUE(written.labels.contains("velero.io/x"));
  EXPECT_FALSE(MetadataDiffers(written, system, installation));
  installation.secret_metadata_allow = {"team", "example.com/*"};
  EXPECT_TRUE(MetadataDiffers(written, system, installation));
  const StaleMetadata stale = StaleMetadataOf(written, system, installation);
  EXPECT_THAT(stale.labels, testing::ElementsAre("velero.io/x"));
  EXPECT_THAT(stale.annotations, testing::ElementsAre(reflector));
}

TEST_F(SecretReadingTest, An_edited_list_removes_none_of_our_keys) {
  SecretMetadata metadata = Full().metadata;
  metadata.annotations[std::string{kReceiptAnnotation}] = "r";
  metadata.annotations[std::string{kTemplateAnnotation}] =
      "annotation:certpair.dev/last-operation label:certpair.dev/system  label: junk annotation:";
  const StaleMetadata stale = StaleMetadataOf(metadata, system, installation);
  EXPECT_TRUE(stale.labels.empty());
  EXPECT_THAT(stale.annotations, testing::ElementsAre(std::string{kTemplateAnnotation}));
}

TEST_F(SecretReadingTest, Retain_takes_the_owner_away_and_Delete_sets_it) {
  const auto owned = Full().metadata.owners;
  EXPECT_EQ(OwnersAfter(owned, system), std::nullopt);
  system.spec.secret.deletion_policy = core::DeletionPolicy::Retain;
  EXPECT_EQ(OwnersAfter(owned, system), std::vector<OwnerReference>{});
  EXPECT_EQ(OwnersAfter({}, system), std::nullopt);
}

TEST_F(SecretReadingTest, By_status_it_is_what_status_tells) {
  const SecretMetadata metadata = Full().metadata;
  EXPECT_TRUE(std::holds_alternative<core::Missing>(
      ReadSecretByStatus(metadata, system, installation).state));
  system.status.active = first.details;
  system.status.inactive = second.details;
  const SecretReading reading = ReadSecretByStatus(metadata, system, installation);
  EXPECT_EQ(std::get<CertificatePair>(reading.state),
            (CertificatePair{first.details, second.details}));
  EXPECT_EQ(reading.resource_version, "7");
}

TEST(Budget, Comes_back_as_it_was_written) {
  core::Budget budget;
  EXPECT_EQ(ParseBudget(FormatBudget(budget)), budget);
  for (int i = 0; i < 16; ++i) budget.automatic.push_back(sys_seconds{seconds{1'800'000'000 + i}});
  EXPECT_EQ(ParseBudget(FormatBudget(budget)), budget);
}

TEST(Budget, Of_a_text_edited_by_hand_the_numbers_count) {
  const auto numbers = [](std::string_view text) {
    std::vector<std::int64_t> out;
    for (const sys_seconds at : ParseBudget(text).automatic)
      out.push_back(at.time_since_epoch().count());
    return out;
  };
  using V = std::vector<std::int64_t>;
  EXPECT_EQ(numbers("3,1,2"), (V{1, 2, 3}));
  EXPECT_EQ(numbers("x,1,,2 ,5"), (V{1, 5}));
  EXPECT_EQ(numbers(",,,"), V{});
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "7,";
  EXPECT_EQ(numbers(many).size(), 16U);
}

}  // namespace
}  // namespace certpair::reconcile
