#include "reconcile/objects.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "reconcile/names.hpp"

namespace certpair::reconcile {
namespace {

TEST(NamespaceOf, Is_the_same_for_keys_and_owners) {
  EXPECT_EQ(NamespaceOf("system:idm/abap-prod"), "idm");
  EXPECT_EQ(NamespaceOf("idm/abap-prod"), "idm");
  EXPECT_EQ(NamespaceOf("authority:corporate-ca"), "");
  EXPECT_EQ(NamespaceOf(""), "");
}

TEST(HasReached, ResourceVersions_are_compared_as_numbers) {
  struct {
    const char* seen;
    const char* wanted;
    bool reached;
  } const cases[] = {
      {"10", "9", true},    {"9", "10", false}, {"10", "10", true},
      {"100", "99", true},  {"abc", "5", true}, {"5", "abc", true},
      {"abc", "abc", true}, {"", "5", true},    {"5", "", true},
      {"05", "5", true},    {"5x", "6", true},  {"4", "18446744073709551615", false}};
  for (const auto& c : cases)
    EXPECT_EQ(HasReached(c.seen, c.wanted), c.reached) << c.seen << " " << c.wanted;
}

TEST(CreatedBefore, Within_a_second_what_was_written_first_comes_first) {
  const auto made = [](int second, const char* version, const char* name, bool finished = false) {
    StoredOperation stored;
    stored.operation.created = sys_seconds{seconds{second}};
    stored.operation.name = name;
    stored.operation.finished = finished;
    stored.resource_version = version;
    return stored;
  };
  const std::vector<StoredOperation> in_order{
      made(1, "90", "a", true), made(1, "none", "b"), made(1, "9", "y"), made(1, "10", "x"),
      made(1, "11", "a"),       made(2, "8", "b"),    made(3, "7", "a")};
  for (std::size_t i = 0; i < in_order.size(); ++i)
    for (std::size_t j = 0; j < in_order.size(); ++j)
      EXPECT_EQ(CreatedBefore(in_order[i], in_order[j]), i < j) << i << j;
}

core::SystemStatus Status() {
  core::SystemStatus status;
  status.observed_generation = 1;
  status.conditions = {{.type = "Ready", .reason = "Valid", .message = "m"}};
  status.active = core::Certificate{.fingerprint = "A", .subject = "CN=a", .pem = "PA"};
  status.inactive = core::Certificate{.fingerprint = "B", .subject = "CN=a", .pem = "PB"};
  status.secret_name = "s";
  status.secret_resource_version = "1";
  status.next = core::NextTransition{sys_seconds{}, "Warn"};
  status.automatic_issuances = {sys_seconds{seconds{5}}};
  status.ledger.entries = {core::OtherEntry{"x"}};
  status.ledger.failure = core::ServerReply{.notice_id = "1", .words = "550"};
  status.ledger.summary = {{"72h", "A", sys_seconds{}, 2, 1}};
  return status;
}

TEST(StatusDigest, Tells_every_field) {
  using Edit = void (*)(core::SystemStatus&);
  const Edit edits[] = {[](auto& s) { ++s.observed_generation; },
                        [](auto& s) { s.conditions[0].type = "Other"; },
                        [](auto& s) { s.conditions[0].status = core::ConditionStatus::True; },
                        [](auto& s) { s.conditions[0].reason = "Other"; },
                        [](auto& s) { s.conditions[0].message = "other"; },
                        [](auto& s) { ++s.conditions[0].observed_generation; },
                        [](auto& s) { s.conditions[0].last_transition += seconds{1}; },
                        [](auto& s) { s.conditions.clear(); },
                        [](auto& s) { s.active->fingerprint = "C"; },
                        [](auto& s) { s.active->fingerprint_sha1 = "C"; },
                        [](auto& s) { s.active->subject = "C"; },
                        [](auto& s) { s.active->issuer = "C"; },
                        [](auto& s) { s.active->serial_number = "C"; },
                        [](auto& s) { s.active->signature_algorithm = "C"; },
                        [](auto& s) { s.active->issuer_fingerprint = "C"; },
                        [](auto& s) { s.active->key.size = 1; },
                        [](auto& s) { s.active->key.algorithm = core::KeyAlgorithm::Ed25519; },
                        [](auto& s) { s.active->not_before += seconds{1}; },
                        [](auto& s) { s.inactive->not_after += seconds{1}; },
                        [](auto& s) { s.inactive.reset(); },
                        [](auto& s) { std::swap(s.active, s.inactive); },
                        [](auto& s) { s.secret_name = "t"; },
                        [](auto& s) { s.secret_resource_version = "2"; },
                        [](auto& s) { s.next->action = "Expire"; },
                        [](auto& s) { s.next->at += seconds{1}; },
                        [](auto& s) { s.next.reset(); },
                        [](auto& s) { s.ledger.entries.push_back(core::OtherEntry{"y"}); },
                        [](auto& s) { s.ledger.summary[0].threshold = "336h"; },
                        [](auto& s) { s.ledger.summary[0].fingerprint = "B"; },
                        [](auto& s) { s.ledger.summary[0].at += seconds{1}; },
                        [](auto& s) { s.ledger.summary[0].recipients = 3; },
                        [](auto& s) { s.ledger.summary[0].failed = 0; },
                        [](auto& s) { s.ledger.summary.clear(); },
                        [](auto& s) { s.ledger.failure.reset(); },
                        [](auto& s) { s.ledger.failure->notice_id = "2"; },
                        [](auto& s) { s.ledger.failure->words = "551"; },
                        [](auto& s) { s.ledger.delay = core::ServerReply{}; },
                        [](auto& s) { s.secret_blocked = true; },
                        [](auto& s) { s.held_fingerprint = "B"; },
                        [](auto& s) { s.automatic_issuances.clear(); },
                        [](auto& s) { s.automatic_issuances[0] += seconds{1}; },
                        [](auto& s) { s.active->pem = "PC"; }};
  const auto digest = [](const core::SystemStatus& s) { return StatusDigest(s, PemsDigest(s)); };
  std::size_t number = 0;
  for (const Edit edit : edits) {
    auto edited = Status();
    edit(edited);
    EXPECT_NE(digest(edited), digest(Status())) << "edit " << number;
    ++number;
  }
  EXPECT_EQ(digest(Status()), digest(Status()));
}

TEST(StatusDigest, Is_not_fooled_by_where_one_text_ends) {
  auto a = Status();
  auto b = Status();
  a.conditions[0].reason = "ab";
  a.conditions[0].message = "c";
  b.conditions[0].reason = "a";
  b.conditions[0].message = "bc";
  EXPECT_NE(StatusDigest(a, 0), StatusDigest(b, 0));
}

// It is read eight bytes at a time: each byte counts, wherever it stands, and how many there are.
TEST(StatusDigest, Tells_every_byte_of_a_text) {
  std::set<std::uint64_t> digests;
  std::size_t texts = 0;
  const auto add = [&](std::string text) {
    auto status = Status();
    status.conditions[0].message = std::move(text);
    digests.insert(StatusDigest(status, 0));
    ++texts;
  };
  for (std::size_t length = 0; length <= 33; ++length) {
    add(std::string(length, '\0'));
    for (std::size_t at = 0; at < length; ++at) {
      std::string text(length, '\0');
      for (const char c : {'\1', '\x7F', '\xFF'}) {
        text[at] = c;
        add(text);
      }
    }
  }
  EXPECT_EQ(digests.size(), texts);
}

TEST(StoredAuthority, Names_its_Secret) {
  StoredAuthority authority;
  authority.identity.name = "ca";
  authority.source = core::AuthorityFromSecret{"mine"};
  EXPECT_EQ(authority.SecretName(), "mine");
  authority.source = core::AuthorityGenerated{};
  EXPECT_EQ(authority.SecretName(), "certpair-ca-ca");
}

}  // namespace
}  // namespace certpair::reconcile
