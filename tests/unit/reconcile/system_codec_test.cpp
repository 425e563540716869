#include "reconcile/system_codec.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/time_format.hpp"

namespace certpair::reconcile {
namespace {

using nlohmann::json;
using std::chrono::hours;

constexpr sys_seconds kNow = std::chrono::sys_days{std::chrono::year{2027} / 11 / 9};

json FullObject() {
  return json::parse(R"({
    "apiVersion": "certpair.dev/v1", "kind": "ProvisioningSystem",
    "metadata": {"name": "abap", "namespace": "idm", "uid": "u-1", "resourceVersion": "42",
                 "generation": 7, "deletionTimestamp": "2027-01-01T00:00:00Z"},
    "spec": {
      "displayName": "ABAP Production", "type": "Proxy", "authentication": "BasicAuthentication",
      "peerMatching": "Fingerprint", "issuance": "Manual", "authorityRef": {"name": "ca"},
      "certificate": {
        "subject": {"commonName": "abap", "organizations": ["O1", "O2"],
                    "organizationalUnits": ["OU"], "countries": ["DE"], "localities": ["L"],
                    "provinces": ["P"]},
        "validity": "48h", "key": {"algorithm": "ECDSA", "size": 384}},
      "secret": {"name": "s", "deletionPolicy": "Retain", "labels": {"a": "b"},
                 "annotations": {"c": "d"}},
      "automaticRegeneration": {"enabled": true, "before": "12h30m"},
      "activation": {"atExpiry": "Hold"},
      "notifications": {"warnBefore": ["3h", "1h"],
                        "subscribers": [{"displayName": "Team", "email": "t@example.com"}]}}})");
}

core::Certificate CertificateOf(char digit, bool with_pem = true) {
  const std::string octet(2, digit);
  return {.fingerprint = octet + ":fingerprint",
          .fingerprint_sha1 = octet + ":sha1",
          .subject = "CN=abap",
          .issuer = "CN=ca",
          .serial_number = octet,
          .signature_algorithm = "ecdsa-with-SHA256",
          .key = {core::KeyAlgorithm::Ecdsa, 256},
          .not_before = kNow - hours{1},
          .not_after = kNow + hours{100},
          .issuer_fingerprint = "CA:FE",
          .pem = with_pem ? "-----BEGIN " + octet : ""};
}

core::SystemStatus FullStatus() {
  core::SystemStatus status;
  status.observed_generation = 7;
  status.conditions = {{.type = "Ready",
                        .status = core::ConditionStatus::True,
                        .reason = "Valid",
                        .message = "It is valid.",
                        .observed_generation = 7,
                        .last_transition = kNow},
                       {.type = "ExpiringSoon",
                        .status = core::ConditionStatus::False,
                        .reason = "NotYet",
                        .message = "It ends later.",
                        .observed_generation = 7,
                        .last_transition = kNow - hours{2}}};
  status.active = CertificateOf('A');
  status.inactive = CertificateOf('B');
  status.secret_name = "abap-outbound";
  status.secret_resource_version = "4711";
  status.next = core::NextTransition{.at = kNow + hours{9}, .action = "Regenerate"};
  status.automatic_issuances = {kNow - hours{5}, kNow};
  status.secret_blocked = true;
  status.held_fingerprint = CertificateOf('B').fingerprint;
  status.ledger.entries = {
      core::EventEntry{.certificate = "AA", .threshold = "72h"},
      core::MailEntry{
          .state = core::MailState::Sent, .certificate = "AA", .threshold = "72h", .id = "1"},
      core::OtherEntry{.line = "of/another/version"}};
  status.ledger.failure = core::ServerReply{.notice_id = "1", .words = "550 no such user"};
  status.ledger.delay = core::ServerReply{.notice_id = {}, .words = "450 greylisted"};
  status.ledger.summary = {{"72h", CertificateOf('A').fingerprint, kNow, 2, 1}};
  return status;
}

// What the API server does with the patch, and what the watch then brings.
StoredSystem Apply(const json& object, const json& patch) {
  json merged = object;
  if (!patch.is_null()) merged.merge_patch(patch);
  return DecodeSystem(merged);
}

void ExpectSame(const StoredSystem& stored, const core::SystemStatus& wanted) {
  EXPECT_EQ(stored.status, wanted);
  EXPECT_EQ(stored.pems_digest, PemsDigest(wanted));
  // What we take for ours must be what comes back, or each status would be read live.
  EXPECT_EQ(StatusDigest(stored.status, stored.pems_digest),
            StatusDigest(wanted, PemsDigest(wanted)));
  EXPECT_TRUE(StatusPatch(stored, wanted).is_null());
}

TEST(SystemCodec, Every_field_of_a_system_is_read) {
  const StoredSystem system = DecodeSystem(FullObject());
  EXPECT_EQ(system.undecodable, "");
  EXPECT_EQ(system.resource_version, "42");
  EXPECT_EQ(system.identity, (core::SystemIdentity{.uid = "u-1",
                                                   .namespace_ = "idm",
                                                   .name = "abap",
                                                   .being_deleted = true,
                                                   .generation = 7}));
  core::SystemSpec wanted;
  wanted.display_name = "ABAP Production";
  wanted.type = core::SystemType::Proxy;
  wanted.authentication = "BasicAuthentication";
  wanted.peer_matching = core::PeerMatching::Fingerprint;
  wanted.issuance = core::Issuance::Manual;
  wanted.authority = "ca";
  wanted.subject = {"abap", {"O1", "O2"}, {"OU"}, {"DE"}, {"L"}, {"P"}};
  wanted.validity = hours{48};
  wanted.key = {core::KeyAlgorithm::Ecdsa, 384};
  wanted.secret = {"s", core::DeletionPolicy::Retain, {{"a", "b"}}, {{"c", "d"}}};
  wanted.regeneration_enabled = true;
  wanted.regenerate_before = std::chrono::minutes{750};
  wanted.at_expiry = core::AtExpiry::Hold;
  wanted.warn_before = {hours{3}, hours{1}};
  wanted.subscribers = {{"Team", "t@example.com"}};
  EXPECT_EQ(system.spec, wanted);
  EXPECT_FALSE(system.HasStatus());
}

TEST(SystemCodec, What_is_left_out_gets_its_default) {
  const StoredSystem system = DecodeSystem(json::parse(
      R"({"metadata": {"name": "n"}, "spec": {"certificate": {"subject": {"commonName": "n"}}}})"));
  EXPECT_EQ(system.undecodable, "");
  EXPECT_EQ(system.spec.display_name, "n");
  EXPECT_EQ(system.spec.secret.name, "n-outbound");
  EXPECT_EQ(system.spec.validity, hours{8760});
  EXPECT_EQ(system.spec.key, (core::KeySpec{core::KeyAlgorithm::Rsa, 3072}));
  EXPECT_FALSE(system.spec.regeneration_enabled);
  EXPECT_FALSE(system.spec.regenerate_before);
  EXPECT_FALSE(system.identity.being_deleted);
}

struct KeyCase {
  const char* json_text;
  std::optional<core::KeySpec> wanted;
};
TEST(SystemCodec, A_key_without_a_size_gets_the_size_of_its_algorithm) {
  using enum core::KeyAlgorithm;
  const KeyCase cases[] = {
      {R"({})", core::KeySpec{Rsa, 3072}},
      {R"({"algorithm": "RSA"})", core::KeySpec{Rsa, 3072}},
      {R"({"algorithm": "RSA", "size": 4096})", core::KeySpec{Rsa, 4096}},
      {R"({"algorithm": "ECDSA"})", core::KeySpec{Ecdsa, 256}},
      {R"({"algorithm": "ECDSA", "size": 384})", core::KeySpec{Ecdsa, 384}},
      {R"({"algorithm": "Ed25519"})", core::KeySpec{Ed25519, 256}},
      {R"({"algorithm": "DSA"})", std::nullopt},
  };
  for (const auto& c : cases)
    EXPECT_EQ(DecodeKeySpec(json::parse(c.json_text), {}), c.wanted) << c.json_text;
}

TEST(SystemCodec, A_value_of_another_version_of_the_CRD_is_named) {
  const std::pair<const char*, const char*> cases[] = {
      {"/spec/type", "spec.type"},
      {"/spec/peerMatching", "spec.peerMatching"},
      {"/spec/issuance", "spec.issuance"},
      {"/spec/secret/deletionPolicy", "spec.secret.deletionPolicy"},
      {"/spec/activation/atExpiry", "spec.activation.atExpiry"},
      {"/spec/certificate/validity", "spec.certificate.validity"},
      {"/spec/certificate/key/algorithm", "spec.certificate.key.algorithm"},
      {"/spec/automaticRegeneration/before", "spec.automaticRegeneration.before"},
      {"/spec/notifications/warnBefore/0", "spec.notifications.warnBefore"}};
  for (const auto& [pointer, field] : cases) {
    json object = FullObject();
    object[json::json_pointer(pointer)] = "unheard-of";
    const StoredSystem system = DecodeSystem(object);
    EXPECT_TRUE(system.undecodable.starts_with(field)) << pointer << ": " << system.undecodable;
  }
}

TEST(SystemCodec, What_is_quoted_of_it_is_short_and_plain) {
  const std::pair<json, const char*> cases[] = {
      {"Gateway", R"(spec.type: this operator does not know the value "Gateway")"},
      {5, "spec.type: this operator does not know the value 5"},
      {json::array({"Source"}), R"(spec.type: this operator does not know the value ["Source"])"},
      {"a\nb\xFF", R"(spec.type: this operator does not know the value "a\nb\ufffd")"}};
  for (const auto& [value, wanted] : cases) {
    json object = FullObject();
    object["spec"]["type"] = value;
    EXPECT_EQ(DecodeSystem(object).undecodable, wanted);
  }
  json object = FullObject();
  object["spec"]["certificate"]["validity"] = std::string(10'000, '9');
  EXPECT_LT(DecodeSystem(object).undecodable.size(), 200U);
}

TEST(SystemCodec, Where_the_password_of_a_key_store_stands) {
  json object = FullObject();
  EXPECT_FALSE(DecodeSystem(object).spec.secret.pkcs12);
  object["spec"]["secret"]["pkcs12"] = {{"passwordSecretRef", {{"name", "p"}, {"key", "k"}}}};
  EXPECT_EQ(DecodeSystem(object).spec.secret.pkcs12, (core::PasswordReference{"p", "k"}));
}

TEST(SystemCodec, Anything_at_all_is_decoded_without_a_fault) {
  for (const char* text :
       {"null", "[]", "1", "\"x\"", R"({"spec": [], "status": 3, "metadata": "m"})",
        R"({"status": {"conditions": {"a": 1}, "certificates": [1, {"state": []}]}})",
        R"({"spec": {"notifications": {"warnBefore": 5, "subscribers": ["a"]}}})"})
    (void)DecodeSystem(json::parse(text));
}

TEST(SystemCodec, A_status_comes_back_as_it_was_written) {
  const json object = FullObject();
  const core::SystemStatus wanted = FullStatus();
  const StoredSystem before = DecodeSystem(object);
  ExpectSame(Apply(object, StatusPatch(before, wanted)), wanted);
}

TEST(SystemCodec, The_columns_show_the_active_certificate) {
  const json patch = StatusPatch(DecodeSystem(FullObject()), FullStatus());
  EXPECT_EQ(patch["status"]["activeFingerprint"], "AA:fingerprint");
  EXPECT_EQ(patch["status"]["expires"], FormatTime(kNow + hours{100}));
  EXPECT_EQ(patch["status"]["certificates"][0]["state"], "Active");
  EXPECT_EQ(patch["status"]["certificates"][1]["state"], "Inactive");
}

// Each change alone, and back again: what was there is removed as well as it was set.
TEST(SystemCodec, Each_difference_is_written_and_taken_back) {
  using Edit = void (*)(core::SystemStatus&);
  const std::pair<const char*, Edit> edits[] = {
      {"generation", [](auto& s) { s.observed_generation = 8; }},
      {"a message", [](auto& s) { s.conditions[0].message = "other"; }},
      {"a condition less", [](auto& s) { s.conditions.pop_back(); }},
      {"no inactive", [](auto& s) { s.inactive.reset(); }},
      {"no certificate",
       [](auto& s) {
         s.inactive.reset();
         s.active.reset();
       }},
      {"swapped", [](auto& s) { std::swap(s.active, s.inactive); }},
      {"another end", [](auto& s) { s.active->not_after += hours{1}; }},
      {"another PEM", [](auto& s) { s.active->pem += "x"; }},
      {"no Secret", [](auto& s) { s.secret_resource_version.clear(); }},
      {"another Secret", [](auto& s) { s.secret_name = "other"; }},
      {"nothing next", [](auto& s) { s.next.reset(); }},
      {"another next", [](auto& s) { s.next->action = "Warn"; }},
      {"another ledger", [](auto& s) { s.ledger.entries.push_back(core::OtherEntry{"mail/2"}); }},
      {"another summary", [](auto& s) { s.ledger.summary[0].failed = 2; }},
      {"no summary", [](auto& s) { s.ledger.summary.clear(); }},
      {"a free Secret", [](auto& s) { s.secret_blocked = false; }},
      {"none held", [](auto& s) { s.held_fingerprint.clear(); }},
      {"no failure", [](auto& s) { s.ledger.failure.reset(); }},
      {"another failure", [](auto& s) { s.ledger.failure->notice_id = "2"; }},
      {"no delay", [](auto& s) { s.ledger.delay.reset(); }},
      {"a delay without words", [](auto& s) { s.ledger.delay->words.clear(); }},
      {"no ledger", [](auto& s) { s.ledger = {}; }}};
  for (const auto& [name, edit] : edits) {
    SCOPED_TRACE(name);
    const core::SystemStatus full = FullStatus();
    core::SystemStatus edited = full;
    edit(edited);
    json object = FullObject();
    object.merge_patch(StatusPatch(DecodeSystem(object), full));
    json changed = object;
    const json patch = StatusPatch(DecodeSystem(object), edited);
    ASSERT_FALSE(patch.is_null());
    changed.merge_patch(patch);
    ExpectSame(DecodeSystem(changed), edited);
    ExpectSame(Apply(changed, StatusPatch(DecodeSystem(changed), full)), full);
  }
}

// Earlier operators read them from their own conditions.
TEST(SystemCodec, Facts_of_an_earlier_status_are_read_from_its_reasons) {
  const auto decode = [](const char* type, const char* reason) {
    json object = FullObject();
    object["status"] = {{"conditions", {{{"type", type}, {"status", "False"}, {"reason", reason}}}},
                        {"certificates", {{{"state", "Inactive"}, {"fingerprint", "BB"}}}}};
    return DecodeSystem(object).status;
  };
  for (const char* reason :
       {"SecretNotOurs", "SecretRetained", "SecretImmutable", "SecretWriteFailed", "SecretDamaged"})
    EXPECT_TRUE(decode("Ready", reason).secret_blocked) << reason;
  EXPECT_FALSE(decode("Ready", "WaitingForRemoval").secret_blocked);
  EXPECT_EQ(decode("AutomaticRegeneration", "WaitingForActivation").held_fingerprint, "BB");
  EXPECT_EQ(decode("AutomaticRegeneration", "Scheduled").held_fingerprint, "");
  EXPECT_EQ(decode("NotificationsDelivered", "MailDelayed").ledger.delay, core::ServerReply{});
  EXPECT_FALSE(decode("NotificationsDelivered", "RecipientRefused").ledger.delay);
}

TEST(SystemCodec, Certificates_without_their_PEM_are_not_written) {
  json object = FullObject();
  object.merge_patch(StatusPatch(DecodeSystem(object), FullStatus()));
  core::SystemStatus read_by_status = DecodeSystem(object).status;
  ASSERT_EQ(read_by_status.active->pem, "");
  EXPECT_TRUE(StatusPatch(DecodeSystem(object), read_by_status).is_null());
  read_by_status.next.reset();
  const json patch = StatusPatch(DecodeSystem(object), read_by_status);
  EXPECT_FALSE(patch["status"].contains("certificates"));
  EXPECT_FALSE(patch["status"].contains("expires"));
}

TEST(SystemCodec, What_others_put_into_the_status_stays) {
  json object = FullObject();
  object["status"]["somebodys"] = "field";
  const StoredSystem after = Apply(object, StatusPatch(DecodeSystem(object), FullStatus()));
  json merged = object;
  merged.merge_patch(StatusPatch(DecodeSystem(object), FullStatus()));
  EXPECT_EQ(merged["status"]["somebodys"], "field");
  EXPECT_EQ(after.status, FullStatus());
}

}  // namespace
}  // namespace certpair::reconcile
