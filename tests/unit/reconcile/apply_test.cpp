#include "reconcile/apply.hpp"

#include <gmock/gmock.h>

#include "core/slots.hpp"
#include "pair_fixture.hpp"
#include "support/merge_patch.hpp"

namespace certpair::reconcile {
namespace {

using core::CertificatePair;

// A change, and the Secret upon which it is made.
struct Case {
  const char* name;
  core::SlotChange change;
  std::function<void(LiveSecret&)> edit;  // of a Secret with a pair
};

class ApplyTest : public PairTest {
 protected:
  // What the API server makes of the draft.
  static LiveSecret Write(const SecretDraft& draft, const LiveSecret* before) {
    LiveSecret after;
    if (before != nullptr) {
      after.metadata = before->metadata;
      for (const auto& [key, value] : before->data) after.data.emplace(key, value.Clone());
    }
    test::MergePatch(draft.labels, after.metadata.labels);
    test::MergePatch(draft.annotations, after.metadata.annotations);
    if (draft.owners) after.metadata.owners = *draft.owners;
    for (const auto& [key, value] : draft.data) {
      if (value)
        after.data.insert_or_assign(key, value->Clone());
      else
        after.data.erase(key);
    }
    return after;
  }
  static void ExpectSame(const core::SecretState& computed, const core::SecretState& read) {
    ASSERT_EQ(computed.index(), read.index());
    if (const auto* pair = std::get_if<CertificatePair>(&computed)) {
      EXPECT_EQ(*pair, std::get<CertificatePair>(read));
    }
    if (const auto* damaged = std::get_if<core::Damaged>(&computed)) {
      EXPECT_EQ(damaged->intact_active, std::get<core::Damaged>(read).intact_active);
      EXPECT_EQ(damaged->intact_inactive, std::get<core::Damaged>(read).intact_inactive);
    }
  }
};

TEST_F(ApplyTest, What_is_written_reads_back_as_the_state_that_was_foretold) {
  const auto damage_active = [](LiveSecret& s) { Set(s, "tls.crt", "damaged"); };
  const auto damage_inactive = [](LiveSecret& s) { Set(s, "inactive.crt", "damaged"); };
  const auto no_inactive = [](LiveSecret& s) {
    for (const char* key : {"inactive.crt", "inactive.key", "inactive-ca.crt"}) s.data.erase(key);
  };
  const auto nothing = [](LiveSecret&) {};
  const Case cases[] = {
      {"a second one", core::IssueInactive({}), no_inactive},
      {"in place of a damaged inactive one", core::IssueInactive({}), damage_inactive},
      {"another inactive one", core::IssueInactive({}), nothing},
      {"regenerate", core::Regenerate({}), nothing},
      {"regenerate the only one", core::Regenerate({}), no_inactive},
      {"regenerate over a damaged inactive one", core::Regenerate({}), damage_inactive},
      {"regenerate without the old", core::Regenerate({}, false), nothing},
      {"repair", core::IssueActive({}), damage_active},
      {"repair without the inactive one", core::IssueActive({}, false), damage_active},
      {"repair both", core::IssueActive({}, false),
       [&](LiveSecret& s) {
         damage_active(s);
         damage_inactive(s);
       }},
      {"activate", core::Activate(), nothing},
      {"activate over a damaged one", core::Activate(false), damage_active},
      {"delete", core::DeleteInactive(), nothing},
      {"relabel", core::Relabel(), nothing},
      {"relabel a damaged one", core::Relabel(), damage_active}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    LiveSecret before = Full();
    c.edit(before);
    const SecretReading reading = Read(before);
    std::optional<x509::IssuedCertificate> issued;
    if (c.change.order) issued = Issue();
    const core::PlannedChange plan{.slots = c.change, .receipt = {}, .budget = {}};
    const core::SecretState foretold =
        core::OutcomeOf(plan, reading.state, issued ? &issued->details : nullptr).secret;
    const SecretDraft draft = DraftOf(plan, issued, &before, reading.state, system, installation);
    EXPECT_EQ(draft.resource_version, "7");
    EXPECT_EQ(draft.uid, "s-1");
    const LiveSecret after = Write(draft, &before);
    const SecretReading reread = Read(after);
    ExpectSame(foretold, reread.state);
    EXPECT_FALSE(reread.metadata_differs);
  }
}

TEST_F(ApplyTest, A_new_Secret_reads_back_as_an_active_certificate) {
  std::optional<x509::IssuedCertificate> issued = Issue();
  const core::PlannedChange plan{
      .slots = core::IssueActive({}),
      .receipt = core::Receipt{.operation_uid = "op", .action = core::OperationAction::Generate},
      .budget = {{sys_seconds{seconds{5}}}}};
  const std::string issued_fingerprint = issued->details.fingerprint;
  const core::WriteOutcome foretold = core::OutcomeOf(plan, core::Missing{}, &issued->details);
  const SecretDraft draft = DraftOf(plan, issued, nullptr, core::Missing{}, system, installation);
  EXPECT_EQ(draft.resource_version, "");
  const SecretReading reread = Read(Write(draft, nullptr));
  ExpectSame(foretold.secret, reread.state);
  EXPECT_FALSE(reread.metadata_differs);
  ASSERT_TRUE(reread.receipt);
  EXPECT_EQ(reread.receipt, foretold.receipt);
  EXPECT_EQ(reread.receipt->fingerprint, issued_fingerprint);
  EXPECT_EQ(reread.budget, plan.budget);
}

TEST_F(ApplyTest, A_retained_Secret_becomes_ours_by_a_relabel) {
  LiveSecret secret = Full();
  secret.metadata.owners.clear();
  secret.metadata.annotations[std::string{kSystemUidAnnotation}] = "u-0";
  const SecretReading reading = Read(secret);
  ASSERT_TRUE(std::holds_alternative<core::Retained>(reading.state));
  const core::PlannedChange plan{.slots = core::Relabel(), .receipt = {}, .budget = {}};
  std::optional<x509::IssuedCertificate> none;
  const auto foretold = core::OutcomeOf(plan, reading.state, nullptr).secret;
  const LiveSecret after =
      Write(DraftOf(plan, none, &secret, reading.state, system, installation), &secret);
  ExpectSame(foretold, Read(after).state);
  EXPECT_TRUE(IsOurs(after.metadata, system.identity));
}

TEST_F(ApplyTest, An_automatic_write_keeps_the_receipt_of_the_last_operation) {
  LiveSecret secret = Full();
  secret.metadata.annotations[std::string{kReceiptAnnotation}] = "the last one";
  std::optional<x509::IssuedCertificate> issued = Issue();
  const core::PlannedChange plan{.slots = core::Regenerate({}), .receipt = {}, .budget = {}};
  const auto draft = DraftOf(plan, issued, &secret, Read(secret).state, system, installation);
  EXPECT_FALSE(draft.annotations.contains(std::string{kReceiptAnnotation}));
}

TEST_F(ApplyTest, The_write_names_an_automatic_renewal) {
  const LiveSecret secret = Full();
  std::optional<x509::IssuedCertificate> issued = Issue();
  const std::string made = issued->details.fingerprint;
  core::PlannedChange plan{.slots = core::Regenerate({}), .receipt = {}, .budget = {}};
  plan.renews = true;
  const auto renewed = [&] {
    const auto draft = DraftOf(plan, issued, &secret, Read(secret).state, system, installation);
    return Read(Write(draft, &secret)).renewed;
  };
  EXPECT_EQ(renewed(), made);
  issued.reset();
  plan.slots = core::Activate();
  EXPECT_EQ(renewed(), second.details.fingerprint);
  plan.renews = false;
  EXPECT_EQ(renewed(), "");
}

TEST_F(ApplyTest, What_others_put_into_the_Secret_stays) {
  LiveSecret secret = Full();
  Set(secret, "keystore.p12", "somebody's");
  std::optional<x509::IssuedCertificate> issued = Issue();
  const core::PlannedChange plan{.slots = core::Regenerate({}), .receipt = {}, .budget = {}};
  const LiveSecret after =
      Write(DraftOf(plan, issued, &secret, Read(secret).state, system, installation), &secret);
  EXPECT_EQ(after.Data("keystore.p12"), "somebody's");
}

}  // namespace
}  // namespace certpair::reconcile
