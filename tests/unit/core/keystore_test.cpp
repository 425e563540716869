// R13: when keystore.p12 is made, kept and removed, and that nothing ever waits for its password.
#include <gtest/gtest.h>

#include "core/reasons.hpp"
#include "unit/core/builders.hpp"

namespace certpair::core::testing {
namespace {

using State = PasswordView::State;

const PasswordReference kReference{"p", "password"};
constexpr const char* kCondition = "KeystoreWritten";

PasswordView There(std::string version = "7") { return {State::There, std::move(version), ""}; }
PasswordView NoPassword() { return {State::Missing, "", "There is no Secret \"p\"."}; }
PasswordView BadPassword() { return {State::Unusable, "", "\"password\" cannot be used."}; }

// With a key store of certificate `of`, made with the password that stands there.
Observation WithKeystore(Observation o, int of) {
  o.spec.secret.pkcs12 = kReference;
  o.keystore = Keystore{Fingerprint(of), kReference, "7"};
  return o;
}
// A settled pair of which no key store was ever asked, until now.
Observation Asked(Observation o) {
  o.spec.secret.pkcs12 = kReference;
  return o;
}
// 1 is active, 2 inactive and newer.
Observation Pair() { return WithPair(Fresh(), Made(1, kNow - days{200}), Made(2, kNow)); }
Observation Due() {
  Observation o =
      WithPair(Fresh(), Made(1, kNow - hours{8760} + days{7}), Made(2, kNow - days{300}));
  o.spec.regeneration_enabled = true;
  return o;
}
Observation Ask(Observation o, OperationAction action, int fingerprint = 0) {
  o.operations.push_back(Op(action, 1, fingerprint));
  return o;
}
Observation Knowing(PasswordView password, Observation o) {
  o.password = std::move(password);
  return o;
}

std::string NameOf(const KeystoreChange& change) {
  if (std::holds_alternative<MakeKeystore>(change)) return "make";
  if (std::holds_alternative<RemoveKeystore>(change)) return "remove";
  return "keep";
}

struct Row {
  const char* name;
  Observation seen;
  const char* change;    // of the slots
  const char* keystore;  // beside it
  const char* told;      // once it is written
};

void Check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Observation o = row.seen;
    Signer signer;
    const Pass pass = RunPass(o, signer);
    EXPECT_EQ(testing::NameOf(pass.first.change), row.change);
    EXPECT_EQ(pass.first.change ? NameOf(pass.first.change->keystore) : "", row.keystore);
    EXPECT_FALSE(pass.last.change) << testing::NameOf(pass.last.change);
    EXPECT_EQ(Says(o.status, kCondition), row.told);
  }
}

TEST(Keystore, Is_made_and_removed_in_one_write_that_makes_no_certificate) {
  Check({{"asked for", Knowing(There(), Asked(Pair())), "Relabel", "make", "True/Current"},
         {"not asked for", Pair(), "", "", "-"},
         {"there", WithKeystore(Pair(), 1), "", "", "True/Current"},
         {"there, and the password as it was", Knowing(There(), WithKeystore(Pair(), 1)), "", "",
          "True/Current"},
         {"another password in the same place", Knowing(There("8"), WithKeystore(Pair(), 1)),
          "Relabel", "make", "True/Current"},
         {"the password is gone, and nothing is to be made",
          Knowing(NoPassword(), WithKeystore(Pair(), 1)), "", "", "True/Current"},
         {"of another certificate", Knowing(There(), WithKeystore(Pair(), 2)), "Relabel", "make",
          "True/Current"},
         {"another place of the password",
          [] {
            Observation o = Knowing(There(), WithKeystore(Pair(), 1));
            o.spec.secret.pkcs12 = PasswordReference{"q", "password"};
            return o;
          }(),
          "Relabel", "make", "True/Current"},
         {"damaged",
          [] {
            Observation o = Knowing(There(), WithKeystore(Pair(), 1));
            o.keystore_damaged = true;
            return o;
          }(),
          "Relabel", "make", "True/Current"},
         {"not wanted any more",
          [] {
            Observation o = WithKeystore(Pair(), 1);
            o.spec.secret.pkcs12.reset();
            return o;
          }(),
          "Relabel", "remove", "-"}});
}

TEST(Keystore, Goes_with_the_active_certificate_in_the_same_write) {
  const auto fresh = Asked(Fresh());
  Check({{"the first certificate", Knowing(There(), fresh), "IssueActive", "make", "True/Current"},
         {"regenerate", Knowing(There(), WithKeystore(Due(), 1)), "Regenerate", "make",
          "True/Current"},
         {"activate", Knowing(There(), Ask(WithKeystore(Pair(), 1), OperationAction::Activate, 2)),
          "Activate", "make", "True/Current"},
         {"delete the other", Ask(WithKeystore(Pair(), 1), OperationAction::Delete, 2),
          "DeleteInactive", "keep", "True/Current"},
         {"a second one",
          Ask(WithKeystore(WithPair(Fresh(), Made(1, kNow)), 1), OperationAction::Generate),
          "IssueInactive", "keep", "True/Current"},
         {"repair",
          [] {
            Observation o = Knowing(There(), WithKeystore(Pair(), 1));
            o.secret = Damaged{std::nullopt, Made(2, kNow), "junk"};
            o.spec.regeneration_enabled = true;
            return o;
          }(),
          "IssueActive", "make", "True/Current"},
         {"adopt",
          [] {
            Observation o = Knowing(There(), Asked(Fresh()));
            o.spec.secret.deletion_policy = DeletionPolicy::Retain;
            o.secret = Retained{CertificatePair{Made(1, kNow), std::nullopt}, ""};
            return o;
          }(),
          "Relabel", "make", "True/Current"},
         {"adopt one that fits",
          Knowing(There(), WithKeystore(
                               [] {
                                 Observation o = Fresh();
                                 o.spec.secret.deletion_policy = DeletionPolicy::Retain;
                                 o.secret =
                                     Retained{CertificatePair{Made(1, kNow), std::nullopt}, ""};
                                 return o;
                               }(),
                               1)),
          "Relabel", "keep", "True/Current"}});
}

// A password that is missing keeps nothing back. What is there serves on until its certificate is
// gone from the pair.
TEST(Keystore, Never_holds_a_certificate_back) {
  Check(
      {{"the first", Knowing(NoPassword(), Asked(Fresh())), "IssueActive", "keep",
        "False/PasswordMissing"},
       {"the first, with an unusable one", Knowing(BadPassword(), Asked(Fresh())), "IssueActive",
        "keep", "False/PasswordUnusable"},
       {"the first, and nobody has looked yet", Asked(Fresh()), "IssueActive", "keep",
        "False/Issuing"},
       {"regenerate: the one before is inactive now", Knowing(NoPassword(), WithKeystore(Due(), 1)),
        "Regenerate", "keep", "False/PasswordMissing"},
       {"regenerate: the one in it goes", Knowing(NoPassword(), WithKeystore(Due(), 2)),
        "Regenerate", "remove", "False/PasswordMissing"},
       {"regenerate: and it is damaged",
        [] {
          Observation o = Knowing(NoPassword(), WithKeystore(Due(), 1));
          o.keystore_damaged = true;
          return o;
        }(),
        "Regenerate", "remove", "False/PasswordMissing"},
       {"activate",
        Knowing(NoPassword(), Ask(WithKeystore(Pair(), 1), OperationAction::Activate, 2)),
        "Activate", "keep", "False/PasswordMissing"},
       {"delete what is in it",
        Knowing(NoPassword(), Ask(WithKeystore(Pair(), 2), OperationAction::Delete, 2)),
        "DeleteInactive", "remove", "False/PasswordMissing"},
       {"nothing to do", Knowing(NoPassword(), Asked(Pair())), "", "", "False/PasswordMissing"},
       {"of a certificate that is not there", Knowing(NoPassword(), WithKeystore(Pair(), 3)),
        "Relabel", "remove", "False/PasswordMissing"}});
}

TEST(Keystore, Is_left_alone_where_the_Secret_is) {
  Observation immutable = Knowing(There(), Asked(Pair()));
  immutable.secret = Immutable{*PairOf(immutable.secret)};
  Observation foreign = Knowing(There(), Asked(Fresh()));
  foreign.secret = NotOurs{"somebody", false};
  Observation broken = Knowing(There(), Asked(Pair()));
  broken.secret = Damaged{std::nullopt, std::nullopt, "junk"};
  Check({{"immutable", immutable, "", "", "False/SecretImmutable"},
         {"somebody else's", foreign, "", "", "False/NoCertificate"},
         {"without an active certificate", broken, "", "", "False/NoCertificate"}});
  for (const Observation* o : {&immutable, &foreign, &broken}) {
    Observation unread = *o;
    unread.password = {};
    EXPECT_NE(Decide(unread).need, Need::Password);
  }
}

TEST(Keystore, In_an_immutable_Secret_the_password_changes_no_report) {
  Observation o = WithKeystore(Pair(), 1);
  o.secret = Immutable{*PairOf(o.secret)};
  const SystemStatus unread = Decide(o).status;
  const SystemStatus read = Decide(Knowing(There("another"), o)).status;
  EXPECT_EQ(Says(read, kCondition), Says(unread, kCondition));
  EXPECT_EQ(MessageOf(read, kCondition), MessageOf(unread, kCondition));
}

TEST(Keystore, Wants_its_password_read_only_where_one_is_to_be_made) {
  EXPECT_NE(Decide(Pair()).need, Need::Password);
  EXPECT_NE(Decide(WithKeystore(Pair(), 1)).need, Need::Password);
  EXPECT_EQ(Decide(Asked(Pair())).need, Need::Password);
  EXPECT_EQ(Decide(Asked(Fresh())).need, Need::Password);
  EXPECT_EQ(Decide(WithKeystore(Due(), 1)).need, Need::Password) << "regeneration";
  EXPECT_NE(Decide(Ask(WithKeystore(Pair(), 1), OperationAction::Delete, 2)).need, Need::Password);
  EXPECT_NE(Decide(Knowing(NoPassword(), Asked(Pair()))).need, Need::Password) << "once a pass";
  Observation leaving = Asked(Pair());
  leaving.identity.being_deleted = true;
  EXPECT_NE(Decide(leaving).need, Need::Password);
}

TEST(Keystore, A_missing_password_is_told_once_and_looked_for_with_back_off) {
  Observation o = Knowing(NoPassword(), Asked(Pair()));
  Signer signer;
  Pass pass = RunPass(o, signer);
  EXPECT_EQ(Reasons(pass.last.events), std::vector<std::string>{"Warning PasswordMissing"});
  EXPECT_EQ(MessageOf(o.status, kCondition), "There is no Secret \"p\".");
  EXPECT_EQ(Says(o.status, "Ready"), "True/Valid");
  EXPECT_EQ(pass.last.wake_at, kNow + seconds{15});
  for (const auto& [after, wait] : {std::pair{seconds{15}, seconds{15}},
                                    {seconds{60}, seconds{60}},
                                    {seconds{hours{5}}, seconds{minutes{10}}}}) {
    o.now = kNow + after;
    pass = RunPass(o, signer);
    EXPECT_TRUE(pass.last.events.empty());
    EXPECT_EQ(pass.last.wake_at, o.now + wait);
  }
  o.password = There();
  pass = RunPass(o, signer);
  EXPECT_EQ(Says(o.status, kCondition), "True/Current");
  EXPECT_GT(pass.last.wake_at, o.now + hours{1});
}

TEST(Keystore, What_it_still_holds_is_said) {
  Observation o = Knowing(NoPassword(), WithKeystore(Due(), 1));
  Signer signer;
  RunPass(o, signer);
  EXPECT_EQ(
      MessageOf(o.status, kCondition),
      "There is no Secret \"p\". keystore.p12 still holds certificate " + Fingerprint(1) + ".");
}

TEST(Keystore, The_pairs_own_Secret_holds_no_password) {
  Observation o = Asked(Pair());
  o.spec.secret.pkcs12 = PasswordReference{o.spec.secret.name, "password"};
  EXPECT_NE(Decide(o).need, Need::Password);
  Signer signer;
  const Pass pass = RunPass(o, signer);
  EXPECT_FALSE(pass.first.change);
  EXPECT_EQ(Says(o.status, kCondition), "False/PasswordUnusable");
}

TEST(Keystore, A_refused_write_is_said) {
  Observation o = Knowing(There(), Asked(Pair()));
  o.write_failure = "quota";
  EXPECT_EQ(Says(Decide(o).status, kCondition), "False/SecretWriteFailed");
}

}  // namespace
}  // namespace certpair::core::testing
