#include "reconcile/keystore.hpp"

#include <gmock/gmock.h>

#include "pair_fixture.hpp"
#include "reconcile/apply.hpp"

namespace certpair::reconcile {
namespace {

using State = core::PasswordView::State;
using testing::HasSubstr;

const core::PasswordReference kReference{.name = "p.q", .key = "pass-word"};

LiveSecret SecretWith(const std::map<std::string, std::string>& data) {
  LiveSecret secret;
  secret.metadata.resource_version = "41";
  for (const auto& [key, value] : data) secret.data.emplace(key, SecretString{value});
  return secret;
}
PasswordReading ReadFrom(const std::map<std::string, std::string>& data) {
  return ReadPassword(kReference, std::optional{SecretWith(data)});
}

TEST(KeystoreAnnotation, Reads_back_as_it_was_written) {
  const core::Keystore keystore{
      .fingerprint = "AB:CD", .password = kReference, .password_version = "41"};
  const std::string text = FormatKeystore(keystore, "bytes");
  EXPECT_EQ(ParseKeystore(text), keystore);
  EXPECT_TRUE(IsKeystoreIntact(text, "bytes"));
  EXPECT_FALSE(IsKeystoreIntact(text, "bytez"));
  EXPECT_FALSE(IsKeystoreIntact(text, ""));
  EXPECT_EQ(text.find("bytes"), std::string::npos);
}

TEST(KeystoreAnnotation, Anything_else_is_none_of_ours) {
  for (const char* text : {"", " ", "   ", "AB:CD", "AB:CD p/q 1", "AB:CD pq 1 2", "AB p/q 1 2 3",
                           " p/q 1 2", "x/y x/y x/y x/y x/y"})
    EXPECT_FALSE(ParseKeystore(text)) << text;
  EXPECT_FALSE(IsKeystoreIntact("", ""));
  EXPECT_FALSE(IsKeystoreIntact("AB p/q 1 ", ""));
}

TEST(ReadPassword, Names_Secret_key_and_fault_but_never_the_password) {
  struct Row {
    const char* name;
    PasswordReading reading;
    State state;
    const char* says;
  };
  const auto refused = [] {
    return ReadPassword(kReference,
                        std::unexpected(kube::ApiError{.kind = kube::ApiErrorKind::Forbidden,
                                                       .status = 403,
                                                       .reason = {},
                                                       .message = "GET secrets: 403",
                                                       .retry_after = {}}));
  };
  const Row rows[] = {
      {"no Secret", ReadPassword(kReference, std::optional<LiveSecret>{}), State::Missing,
       "Secret \"p.q\", which"},
      {"no key", ReadFrom({{"other", "x"}}), State::Missing, "has no key \"pass-word\""},
      {"empty", ReadFrom({{"pass-word", ""}}), State::Missing, "has nothing under \"pass-word\""},
      {"a newline", ReadFrom({{"pass-word", "sesame\n"}}), State::Unusable, "newline"},
      {"no text", ReadFrom({{"pass-word", "sesame\xFF"}}), State::Unusable, "ASCII"},
      {"an umlaut", ReadFrom({{"pass-word", "sesame\u00E4"}}), State::Unusable, "Java"},
      {"too long", ReadFrom({{"pass-word", std::string(257, 's') + "sesame"}}), State::Unusable,
       "256 octets"},
      {"refused", refused(), State::Unusable, "GET secrets: 403"}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(row.reading.view.state, row.state);
    EXPECT_THAT(row.reading.view.problem, HasSubstr(row.says));
    EXPECT_THAT(row.reading.view.problem, HasSubstr("\"p.q\""));
    EXPECT_THAT(row.reading.view.problem, testing::Not(HasSubstr("sesame")));
    EXPECT_TRUE(row.reading.password.empty());
  }
  const PasswordReading good = ReadFrom({{"pass-word", "sesame"}});
  EXPECT_EQ(good.view.state, State::There);
  EXPECT_EQ(good.view.version, "41");
  EXPECT_EQ(good.view.problem, "");
  EXPECT_EQ(good.password.Reveal(), "sesame");
}

class KeystoreDraftTest : public PairTest {
 protected:
  core::PlannedChange Plan(core::SlotChange slots, core::KeystoreChange keystore) {
    core::PlannedChange plan{.slots = std::move(slots), .receipt = {}, .budget = {}};
    plan.keystore = std::move(keystore);
    return plan;
  }
  const core::KeystoreChange make =
      core::MakeKeystore{.password = kReference, .password_version = "41"};
};

TEST_F(KeystoreDraftTest, Is_made_of_what_is_active_after_the_change) {
  struct Row {
    const char* name;
    core::SlotChange slots;
    bool issues;
    std::string of;  // empty: what is issued
  };
  const Row rows[] = {
      {"regenerate", core::Regenerate({}), true, ""},
      {"repair", core::IssueActive({}), true, ""},
      {"activate", core::Activate(), false, second.details.fingerprint},
      {"relabel", core::Relabel(), false, first.details.fingerprint},
      {"another inactive one", core::IssueInactive({}), true, first.details.fingerprint}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const LiveSecret before = Full();
    std::optional<x509::IssuedCertificate> issued;
    if (row.issues) issued = Issue();
    const std::string wanted = row.of.empty() ? issued->details.fingerprint : row.of;
    const core::PlannedChange plan = Plan(row.slots, make);
    const SlotTexts slot = ActiveTextsAfter(plan, issued, &before);
    const auto bytes = reader.EncodeKeystore(slot.certificate, slot.key, slot.authority,
                                             SecretString{"sesame"}, "abap");
    ASSERT_TRUE(bytes) << bytes.error().message;
    const auto slot_certificate = reader.ReadSlot(slot.certificate, slot.key, slot.authority);
    ASSERT_TRUE(slot_certificate);
    EXPECT_EQ(slot_certificate->fingerprint, wanted);
    const SecretDraft draft =
        DraftOf(plan, issued, &before, Read(before).state, system, installation, bytes->Clone());
    ASSERT_TRUE(draft.data.at("keystore.p12"));
    EXPECT_EQ(*draft.data.at("keystore.p12"), *bytes);
    const auto annotation = draft.annotations.at(std::string{kKeystoreAnnotation});
    ASSERT_TRUE(annotation);
    EXPECT_TRUE(IsKeystoreIntact(*annotation, bytes->Reveal()));
    EXPECT_EQ(
        ParseKeystore(*annotation),
        (core::Keystore{.fingerprint = wanted, .password = kReference, .password_version = "41"}));
  }
}

TEST_F(KeystoreDraftTest, Is_removed_with_its_annotation_and_else_left_alone) {
  LiveSecret before = Full();
  Set(before, "keystore.p12", "bytes");
  std::optional<x509::IssuedCertificate> none;
  const auto draft_of = [&](core::KeystoreChange change) {
    return DraftOf(Plan(core::Relabel(), std::move(change)), none, &before, Read(before).state,
                   system, installation);
  };
  const std::string annotation{kKeystoreAnnotation};
  const SecretDraft removed = draft_of(core::RemoveKeystore{});
  EXPECT_FALSE(removed.data.at("keystore.p12"));
  EXPECT_FALSE(removed.annotations.at(annotation));
  const SecretDraft kept = draft_of({});
  EXPECT_FALSE(kept.data.contains("keystore.p12"));
  EXPECT_FALSE(kept.annotations.contains(annotation));
}

TEST_F(KeystoreDraftTest, Is_read_from_the_annotation_and_in_depth_from_its_bytes) {
  LiveSecret secret = Full();
  const core::Keystore keystore{
      .fingerprint = "AB", .password = kReference, .password_version = "41"};
  EXPECT_FALSE(Read(secret).keystore);
  secret.metadata.annotations[std::string{kKeystoreAnnotation}] = FormatKeystore(keystore, "bytes");
  EXPECT_TRUE(Read(secret).keystore_damaged) << "gone";
  EXPECT_FALSE(ReadSecretByStatus(secret.metadata, system, installation).keystore_damaged);
  EXPECT_EQ(ReadSecretByStatus(secret.metadata, system, installation).keystore, keystore);
  Set(secret, "keystore.p12", "bytes");
  EXPECT_EQ(Read(secret).keystore, keystore);
  EXPECT_FALSE(Read(secret).keystore_damaged);
  EXPECT_FALSE(Read(secret).metadata_differs);
  Set(secret, "keystore.p12", "bytez");
  EXPECT_TRUE(Read(secret).keystore_damaged);
  // Retained by an earlier system: what it left is known before it is adopted.
  secret.metadata.owners.clear();
  secret.metadata.annotations[std::string{kSystemUidAnnotation}] = "u-0";
  EXPECT_EQ(Read(secret).keystore, keystore);
  secret.metadata.labels.clear();
  EXPECT_FALSE(Read(secret).keystore) << "somebody else's";
}

}  // namespace
}  // namespace certpair::reconcile
