// R11: what the ledger keeps of mails, what is posted again, and what the condition says.
#include "core/ledger.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.hpp"
#include "unit/core/correspondent.hpp"

namespace certpair::core::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Kind = NoticeOutcome::Kind;
using Mails = std::vector<std::string>;

const Certificate kActive = Made(1, kNow);
sys_seconds BeforeEnd(seconds time) { return kActive.not_after - time; }

Correspondent Subscribed(int subscribers = 1) {
  Observation o = Fresh();
  o.installation.mail_configured = true;
  Correspondent mail(WithPair(std::move(o), kActive));
  for (int n = 0; n < subscribers; ++n) mail.Subscribe(fmt::format("reader-{}", n));
  return mail;
}
std::string Told(const SystemStatus& status) { return Says(status, "NotificationsDelivered"); }
std::string Message(const SystemStatus& status) {
  return MessageOf(status, "NotificationsDelivered");
}
std::vector<std::string> MailLines(const SystemStatus& status) {
  std::vector<std::string> lines;
  for (const std::string& line : Lines(status.ledger)) {
    if (!line.starts_with("event/")) lines.push_back(line);
  }
  return lines;
}

TEST(NoticeId, Is_FNV_1a_of_128_bits_over_the_four_parts) {
  // By another implementation.
  EXPECT_EQ(NoticeId("uid", "AB", "72h", "anna@example.com"), "3489dd85d4ba140ea17b5fd094658686");
  EXPECT_EQ(NoticeId("uid", "AB", "72h", "Anna@EXAMPLE.com"), "3489dd85d4ba140ea17b5fd094658686");
}

TEST(NoticeId, Differs_where_any_part_does) {
  std::set<std::string> ids;
  for (const char* uid : {"u", "u1"})
    for (const char* fingerprint : {"AB", "CD"})
      for (const char* threshold : {"72h", "336h", "held", "renewed"})
        for (const char* email : {"a@b", "c@d", "1a@b"})
          ids.insert(NoticeId(uid, fingerprint, threshold, email));
  EXPECT_THAT(ids, SizeIs(48));
  EXPECT_NE(NoticeId("a", "b", "c", "d"), NoticeId("ab", "", "c", "d"));
}

TEST(NoticeIds, Give_each_threshold_and_recipient_the_id_that_it_has_alone) {
  const NoticeIds ids("uid", "AB:CD");
  for (const char* threshold : {"72h", "held", ""})
    for (const char* email : {"a@b", "A@B", ""})
      EXPECT_EQ(ids.Of(threshold, email), NoticeId("uid", "AB:CD", threshold, email));
}

TEST(ShortFingerprint, Is_recognised_whole_and_nothing_else) {
  const std::string whole = "00:11:22:33:44:55:66:77:88:99";
  EXPECT_EQ(ShortFingerprint(whole), "0011223344556677");
  for (const char* of_short : {"00:11", "00", ""}) {
    EXPECT_TRUE(IsShortOf(ShortFingerprint(of_short), of_short)) << of_short;
  }
  EXPECT_TRUE(IsShortOf("0011223344556677", whole));
  for (const char* other : {"", "0011", "001122334455667", "00112233445566778", "0011223344556678",
                            "1011223344556677", "00:11:22:33:44:55:66:77"}) {
    EXPECT_FALSE(IsShortOf(other, whole)) << other;
  }
}

// A line that was cut short, or made longer, by hand speaks of no certificate.
TEST(Ledger, Keeps_an_Events_line_with_its_certificate_alone) {
  const std::string kept = "event/" + ShortFingerprint(kActive.fingerprint) + "/72h";
  const NotificationLedger ledger =
      LedgerOf({kept, "event/0000000100000000/", "event/00000001/72h",
                "event/00000001000000001/72h", "event/", "event/0000000100000000", "of others"});
  const auto after = [&](const Certificate* active, const Certificate* inactive) {
    return Lines(Prune(ledger, active, inactive));
  };
  const std::vector<std::string> of_others{"event/", "event/0000000100000000", "of others"};
  EXPECT_THAT(after(&kActive, nullptr), ElementsAre(kept, "event/0000000100000000/", "event/",
                                                    "event/0000000100000000", "of others"));
  EXPECT_EQ(after(&kActive, nullptr), after(nullptr, &kActive));
  EXPECT_EQ(after(nullptr, nullptr), of_others);
}

TEST(MailBook, Works_by_id_and_leaves_other_entries_in_place) {
  const std::string certificate = ShortFingerprint(kActive.fingerprint);
  NotificationLedger ledger =
      LedgerOf({"due/" + certificate + "/72h/b", "of others", "sent/" + certificate + "/72h/a",
                "given-up/" + certificate + "/72h/b", "due/" + certificate + "/72h/c"});
  MailBook book(ledger.entries);
  EXPECT_EQ(book.Find("of others"), nullptr);
  ASSERT_NE(book.Find("b"), nullptr);
  EXPECT_EQ(book.Find("b")->state, MailState::Due) << "of two, the first counts";
  EXPECT_FALSE(book.Settle("a", MailState::Refused)) << "it was sent";
  EXPECT_FALSE(book.Settle("d", MailState::Sent)) << "nobody knows it";
  book.Intend(kActive.fingerprint, "held", "d");
  book.Intend(kActive.fingerprint, "72h", "a");
  EXPECT_TRUE(book.Settle("d", MailState::Sent));
  EXPECT_TRUE(book.Settle("b", MailState::GivenUp));
  book.Erase("c");
  book.Erase("e");
  EXPECT_EQ(book.Find("c"), nullptr);
  EXPECT_THAT(book.Entries(), SizeIs(3));
  book.Close(ledger, &kActive, nullptr, kNow, [](auto) { return false; });
  EXPECT_THAT(Lines(ledger),
              ElementsAre("given-up/" + certificate + "/72h/b", "of others",
                          "sent/" + certificate + "/72h/a", "sent/" + certificate + "/held/d"));
}

TEST(LedgerEntry, Reads_back_as_it_was_written) {
  for (const MailState state :
       {MailState::Due, MailState::Sent, MailState::Refused, MailState::GivenUp}) {
    const LedgerEntry entry = MailEntry{state, "0011223344556677", "1h30m", "abcdef"};
    EXPECT_EQ(ParseLedgerEntry(FormatLedgerEntry(entry)), entry);
  }
  const LedgerEntry event = EventEntry{"0011223344556677", "72h"};
  EXPECT_EQ(ParseLedgerEntry(FormatLedgerEntry(event)), event);
}

TEST(LedgerEntry, A_line_of_another_version_stays_as_it_is) {
  for (const char* line : {"", "/", "sent", "sent/", "sent/00/72h", "sent/00/72h/", "sent/0/1/2/3",
                           "lost/00/72h/ab", "event/00", "event/", "Sent/00/72h/ab"}) {
    const LedgerEntry entry = ParseLedgerEntry(line);
    EXPECT_EQ(entry, LedgerEntry{OtherEntry{line}}) << line;
    EXPECT_EQ(FormatLedgerEntry(entry), line);
  }
}

TEST(Ledger, Holds_a_mail_as_due_before_it_is_posted_and_as_sent_after) {
  Correspondent mail = Subscribed();
  const Decision due = mail.LookAt(BeforeEnd(hours{72}));
  ASSERT_THAT(due.notices, SizeIs(1));
  EXPECT_THAT(MailLines(due.status), ElementsAre("due/0000000100000000/72h/" + due.notices[0].id));
  EXPECT_EQ(Told(due.status), "Unknown/Sending");
  mail.PassAt(BeforeEnd(hours{72}));
  EXPECT_THAT(MailLines(mail.o.status),
              ElementsAre("sent/0000000100000000/72h/" + due.notices[0].id));
  EXPECT_EQ(Told(mail.o.status), "True/Delivered");
}

TEST(Ledger, Has_no_address_in_it_nor_has_the_condition) {
  Correspondent mail = Subscribed(3);
  mail.LookAt(BeforeEnd(hours{72}));
  const Pass pass = RunPass(mail.o, mail.signer);
  mail.Deliver(pass.last.notices, Kind::Refused, "550 no such user here");
  for (const std::string& line : Lines(mail.o.status.ledger))
    EXPECT_THAT(line, Not(HasSubstr("@")));
  EXPECT_THAT(Message(mail.o.status), Not(HasSubstr("@")));
}

TEST(Ledger, Sums_up_for_people) {
  Correspondent mail = Subscribed(3);
  mail.o.now = BeforeEnd(hours{72});
  const Pass pass = RunPass(mail.o, mail.signer);
  EXPECT_THAT(mail.o.status.ledger.summary,
              ElementsAre(NotificationSummary{"72h", kActive.fingerprint, mail.o.now, 3, 0}));
  mail.o.now += minutes{1};
  mail.Deliver({pass.last.notices[0]}, Kind::Refused, "550");
  EXPECT_THAT(mail.o.status.ledger.summary,
              ElementsAre(NotificationSummary{"72h", kActive.fingerprint, mail.o.now, 3, 1}));
}

TEST(Ledger, Is_not_written_anew_where_nothing_happens) {
  Correspondent mail = Subscribed(3);
  mail.PassAt(BeforeEnd(hours{336}));
  const SystemStatus settled = mail.o.status;
  for (int hour = 1; hour < 24; ++hour) {
    EXPECT_EQ(mail.LookAt(BeforeEnd(hours{336}) + hours{hour}).status, settled);
  }
}

TEST(Ledger, Goes_with_its_certificate) {
  Correspondent mail = Subscribed(3);
  mail.PassAt(BeforeEnd(hours{72}));
  mail.o.secret = CertificatePair{Made(2, mail.o.now), kActive};
  mail.PassAt(mail.o.now + minutes{1});
  EXPECT_THAT(MailLines(mail.o.status), SizeIs(3)) << "it is there, inactive";
  mail.o.secret = CertificatePair{Made(2, mail.o.now), std::nullopt};
  mail.PassAt(mail.o.now + minutes{1});
  EXPECT_THAT(MailLines(mail.o.status), IsEmpty());
  EXPECT_THAT(mail.o.status.ledger.summary, IsEmpty());
}

TEST(Ledger, Is_bounded_while_subscribers_and_thresholds_come_and_go) {
  Correspondent mail = Subscribed();
  for (int round = 0; round < 30; ++round) {
    mail.o.spec.subscribers.clear();
    for (int n = 0; n < 50; ++n) mail.Subscribe(fmt::format("reader-{}-{}", round, n));
    mail.o.spec.warn_before = {hours{300 - round}};
    EXPECT_THAT(mail.PassAt(BeforeEnd(hours{200})), SizeIs(50));
  }
  EXPECT_LE(mail.o.status.ledger.entries.size(), 1024U) << "crds/ allows no more";
  EXPECT_LE(mail.o.status.ledger.summary.size(), 32U);
  for (const std::string& line : Lines(mail.o.status.ledger)) EXPECT_LE(line.size(), 96U);
}

TEST(Ledger, Drops_former_subscribers_before_present_ones) {
  Correspondent mail = Subscribed();
  mail.o.spec.warn_before = {hours{300}};
  EXPECT_THAT(mail.PassAt(BeforeEnd(hours{200})), SizeIs(1)) << "the oldest line";
  for (int round = 0; round < 30; ++round) {
    mail.o.spec.subscribers.resize(1);
    for (int n = 0; n < 49; ++n) mail.Subscribe(fmt::format("reader-{}-{}", round, n));
    EXPECT_THAT(mail.PassAt(BeforeEnd(hours{200})), SizeIs(49)) << round;
  }
}

TEST(Ledger, Of_more_than_fifty_subscribers_knows_fifty) {
  Correspondent mail = Subscribed(60);
  EXPECT_THAT(mail.PassAt(BeforeEnd(hours{72})), SizeIs(50));
}

TEST(Posting, Is_bounded_by_the_room_and_continues_when_it_grows) {
  Correspondent mail = Subscribed(50);
  mail.o.mail.room = 7;
  const Decision first = mail.LookAt(BeforeEnd(hours{72}));
  EXPECT_THAT(first.notices, SizeIs(7));
  EXPECT_THAT(MailLines(first.status), SizeIs(50)) << "all are due, posted or not";
  EXPECT_LE(first.wake_at, mail.o.now + minutes{10});
  std::set<std::string> got;
  for (int pass = 0; pass < 8; ++pass) {
    mail.PassAt(BeforeEnd(hours{72}) + seconds{pass});
    for (const Notice& notice : mail.last.notices) got.insert(notice.id);
  }
  EXPECT_THAT(got, SizeIs(50));
  EXPECT_EQ(Told(mail.o.status), "True/Delivered");
}

TEST(Posting, Without_room_only_writes_the_debts) {
  Correspondent mail = Subscribed(2);
  mail.o.mail.room = 0;
  mail.PassAt(BeforeEnd(hours{72}));
  const SystemStatus owed = mail.o.status;
  EXPECT_THAT(MailLines(owed), Each(StartsWith("due/")));
  EXPECT_EQ(mail.LookAt(BeforeEnd(hours{71})).status, owed);
}

TEST(Posting, Happens_again_with_the_same_id_where_a_crash_left_it_due) {
  Correspondent mail = Subscribed();
  const Decision before = mail.LookAt(BeforeEnd(hours{72}));
  mail.o.status = before.status;
  mail.o.mail.under_way = {before.notices.at(0).id};
  EXPECT_THAT(mail.LookAt(BeforeEnd(hours{72})).notices, IsEmpty()) << "it is under way";
  mail.o.mail.under_way.clear();  // another process
  const Decision again = mail.LookAt(BeforeEnd(hours{71}));
  ASSERT_THAT(again.notices, SizeIs(1));
  EXPECT_EQ(again.notices[0].id, before.notices[0].id);
  EXPECT_EQ(again.status, before.status) << "no write for it";
}

TEST(Posting, Happens_again_where_another_leader_came_and_went) {
  Correspondent mail = Subscribed();
  const Decision before = mail.LookAt(BeforeEnd(hours{72}));
  mail.o.status = before.status;
  mail.o.mail.outcomes = {{Kind::Dropped, before.notices.at(0).id, "", mail.o.now}};
  EXPECT_THAT(mail.LookAt(BeforeEnd(hours{72})).notices, SizeIs(1));
}

TEST(Posting, Is_forgotten_where_the_recipient_unsubscribed) {
  Correspondent mail = Subscribed();
  const Decision due = mail.LookAt(BeforeEnd(hours{72}));
  const std::string id = due.notices.at(0).id;
  mail.o.status = due.status;
  mail.o.mail.under_way = {id};
  mail.o.spec.subscribers.clear();
  const Decision gone = mail.LookAt(BeforeEnd(hours{72}));
  EXPECT_THAT(gone.withdrawn, ElementsAre(id));
  EXPECT_THAT(MailLines(gone.status), SizeIs(1)) << "it may be sent at this moment";
  mail.o.mail.under_way.clear();
  EXPECT_THAT(MailLines(mail.LookAt(BeforeEnd(hours{72})).status), IsEmpty());
}

TEST(Posting, A_more_urgent_mail_replaces_one_that_waits) {
  Correspondent mail = Subscribed();
  const Decision early = mail.LookAt(BeforeEnd(hours{336}));
  mail.o.status = early.status;
  mail.o.mail.under_way = {early.notices.at(0).id};
  const Decision late = mail.LookAt(BeforeEnd(hours{72}));
  EXPECT_THAT(late.withdrawn, ElementsAre(early.notices.at(0).id));
  ASSERT_THAT(late.notices, SizeIs(1));
  EXPECT_EQ(late.notices[0].threshold, "72h");
}

TEST(Posting, Of_a_debt_is_void_once_it_is_not_true_any_more) {
  Correspondent mail = Subscribed();
  mail.o.mail.room = 0;
  mail.PassAt(BeforeEnd(hours{72}));
  mail.o.secret = CertificatePair{Made(2, mail.o.now), kActive};  // a person made a new one
  EXPECT_THAT(MailLines(mail.LookAt(BeforeEnd(hours{71})).status), IsEmpty());
}

TEST(Posting, Of_a_mail_about_a_certificate_that_is_gone_is_taken_back) {
  Correspondent mail = Subscribed();
  const Decision due = mail.LookAt(BeforeEnd(hours{72}));
  mail.o.status = due.status;
  mail.o.mail.under_way = {due.notices.at(0).id};
  mail.o.secret = CertificatePair{Made(2, mail.o.now), std::nullopt};
  EXPECT_THAT(mail.LookAt(BeforeEnd(hours{71})).withdrawn, ElementsAre(due.notices[0].id));
}

TEST(Posting, Of_a_certificate_that_is_to_be_attached_asks_for_the_Secret) {
  Observation o = Fresh();
  o.spec.regeneration_enabled = true;
  o.installation.mail_configured = true;
  Correspondent mail(WithPair(std::move(o), kActive));
  mail.Subscribe("anna");
  mail.o.mail.room = 0;
  mail.PassAt(BeforeEnd(hours{312}));
  mail.o.mail.room = 10;
  auto& pair = std::get<CertificatePair>(mail.o.secret);
  const std::string pem = std::exchange(pair.active.pem, "");
  const Decision blind = mail.LookAt(BeforeEnd(hours{311}));
  EXPECT_EQ(blind.need, Need::Secret);
  EXPECT_THAT(blind.notices, IsEmpty());
  pair.active.pem = pem;
  const Decision read = mail.LookAt(BeforeEnd(hours{311}));
  EXPECT_FALSE(read.need);
  ASSERT_THAT(read.notices, SizeIs(1));
  EXPECT_EQ(read.notices[0].active.pem, pem);
}

TEST(Outcomes, After_a_wiped_ledger_outcomes_count_and_nothing_repeats) {
  Correspondent mail = Subscribed();
  const Decision due = mail.LookAt(BeforeEnd(hours{72}));
  mail.o.status = {};
  mail.o.mail.outcomes = {{Kind::Sent, due.notices.at(0).id, "", mail.o.now}};
  const Decision after = mail.LookAt(BeforeEnd(hours{72}));
  EXPECT_THAT(after.notices, IsEmpty());
  EXPECT_THAT(MailLines(after.status), Each(StartsWith("sent/")));
}

TEST(Outcomes, Of_unknown_mails_change_nothing) {
  Correspondent mail = Subscribed();
  mail.PassAt(BeforeEnd(hours{72}));
  const SystemStatus before = mail.o.status;
  mail.o.mail.outcomes = {{Kind::Refused, "0123", "550 no", mail.o.now}};
  const Decision decision = mail.LookAt(mail.o.now);
  EXPECT_EQ(decision.status, before);
  EXPECT_THAT(decision.events, IsEmpty());
}

TEST(Refused, Names_the_reader_and_quotes_the_server) {
  Correspondent mail = Subscribed(3);
  mail.o.now = BeforeEnd(hours{336});
  const Pass pass = RunPass(mail.o, mail.signer);
  const auto& notices = pass.last.notices;
  ASSERT_THAT(notices, SizeIs(3));
  mail.Deliver({notices[0], notices[2]});
  mail.Deliver({notices[1]}, Kind::Refused, "550 no such user");
  EXPECT_EQ(Told(mail.o.status), "False/RecipientRefused");
  EXPECT_THAT(Message(mail.o.status),
              AllOf(HasSubstr("1 of 3 subscribers"), HasSubstr("\"reader-1\" (refused)"),
                    HasSubstr("550 no such user")));
  ASSERT_THAT(Reasons(mail.after.events), ElementsAre("Warning RecipientRefused"));
  EXPECT_THAT(mail.after.events[0].message, HasSubstr("reader-1"));
  const Decision quiet = mail.LookAt(mail.o.now + hours{1});
  EXPECT_EQ(quiet.status, mail.o.status) << "what the server said stays";
  EXPECT_THAT(quiet.events, IsEmpty());
  EXPECT_EQ(
      mail.PassAt(BeforeEnd(hours{72})),
      (Mails{"Expiring 72h to reader-0", "Expiring 72h to reader-1", "Expiring 72h to reader-2"}))
      << "the next threshold is tried again";
  EXPECT_EQ(Told(mail.o.status), "True/Delivered");
}

// A condition or an Event with half a character in it can never be written.
TEST(Refused, In_any_script_is_quoted_in_whole_characters) {
  std::string said;
  for (int n = 0; n < 200; ++n) said += "Ж";
  for (const char* before : {"", "x", "xy", "xyz"}) {
    for (const Kind kind : {Kind::Refused, Kind::Delayed, Kind::GivenUp}) {
      Correspondent mail = Subscribed();
      const Decision due = mail.LookAt(BeforeEnd(hours{336}));
      mail.o.status = due.status;
      mail.o.mail.under_way = {due.notices.at(0).id};
      mail.Deliver(due.notices, kind, before + ("550 " + said));
      EXPECT_THAT(Message(mail.o.status), HasSubstr("ЖЖЖ"));
      EXPECT_EQ(log::Redact(Message(mail.o.status)), Message(mail.o.status)) << before;
      for (const EventNotice& event : mail.after.events) {
        EXPECT_EQ(log::Redact(event.message), event.message) << before;
      }
    }
  }
}

TEST(Refused, Is_forgotten_once_the_recipient_is_gone) {
  Correspondent mail = Subscribed(2);
  mail.o.now = BeforeEnd(hours{336});
  const Pass pass = RunPass(mail.o, mail.signer);
  mail.Deliver(pass.last.notices, Kind::Refused, "550");
  EXPECT_THAT(Message(mail.o.status), HasSubstr("2 of 2"));
  mail.Unsubscribe("reader-0");
  EXPECT_THAT(Message(mail.LookAt(mail.o.now).status), HasSubstr("1 of 1 subscriber:"));
  mail.Unsubscribe("reader-1");
  EXPECT_EQ(Told(mail.LookAt(mail.o.now).status), "True/NoSubscribers");
}

// The reply belongs to one mail: without it the other failures keep no foreign words.
TEST(Refused, The_reply_goes_with_the_mail_that_it_answered) {
  Correspondent mail = Subscribed(2);
  mail.o.now = BeforeEnd(hours{336});
  const Pass pass = RunPass(mail.o, mail.signer);
  mail.Deliver({pass.last.notices.at(0)}, Kind::Refused, "550 no such user");
  mail.Deliver({pass.last.notices.at(1)}, Kind::Refused, "551 moved");
  EXPECT_THAT(Message(mail.o.status), HasSubstr("551 moved"));
  Correspondent first_left = mail;
  first_left.Unsubscribe("reader-0");
  EXPECT_THAT(Message(first_left.LookAt(mail.o.now).status), HasSubstr("551 moved"));
  mail.Unsubscribe("reader-1");
  const SystemStatus after = mail.LookAt(mail.o.now).status;
  EXPECT_EQ(Told(after), "False/RecipientRefused");
  EXPECT_THAT(Message(after), Not(HasSubstr("551 moved")));
  EXPECT_FALSE(after.ledger.failure);
}

TEST(Refused, Names_five_and_counts_the_rest) {
  Correspondent mail = Subscribed(50);
  mail.o.now = BeforeEnd(hours{336});
  const Pass pass = RunPass(mail.o, mail.signer);
  mail.Deliver(pass.last.notices, Kind::GivenUp, "the server was away for five days");
  EXPECT_EQ(Told(mail.o.status), "False/MailGivenUp");
  EXPECT_THAT(Message(mail.o.status), AllOf(HasSubstr("and 45 more"), HasSubstr("five days")));
  EXPECT_THAT(mail.after.events, SizeIs(1));
}

TEST(GivenUp, A_warning_that_came_too_late_becomes_an_Expired_mail) {
  Correspondent mail = Subscribed();
  mail.o.now = BeforeEnd(hours{72});
  const Pass pass = RunPass(mail.o, mail.signer);
  mail.o.now = BeforeEnd(-days{3});  // the machine slept, or its clock was behind
  mail.o.mail.outcomes = {{.kind = Kind::GivenUp,
                           .id = pass.last.notices.at(0).id,
                           .message = "away",
                           .at = mail.o.now,
                           .certificate_ended = true}};
  const Decision late = mail.LookAt(mail.o.now);
  ASSERT_THAT(late.notices, SizeIs(1));
  EXPECT_EQ(late.notices[0].kind, NoticeKind::Expired);
  EXPECT_EQ(late.notices[0].id, pass.last.notices[0].id);
  mail.o.now += days{4};
  mail.o.mail.outcomes = {{Kind::GivenUp, pass.last.notices[0].id, "still away", mail.o.now}};
  EXPECT_THAT(mail.LookAt(mail.o.now).notices, IsEmpty());
}

TEST(Delayed, Says_why_once_and_stays_until_something_is_sent) {
  Correspondent mail = Subscribed(2);
  mail.o.now = BeforeEnd(hours{336});
  const Pass pass = RunPass(mail.o, mail.signer);
  const auto& notices = pass.last.notices;
  mail.o.mail.under_way = {notices[0].id, notices[1].id};
  mail.Deliver({notices[0]}, Kind::Delayed, "connection refused");
  EXPECT_EQ(Told(mail.o.status), "False/MailDelayed");
  EXPECT_THAT(Message(mail.o.status), HasSubstr("connection refused"));
  EXPECT_THAT(Reasons(mail.after.events), ElementsAre("Warning MailDelayed"));
  const SystemStatus delayed = mail.o.status;
  EXPECT_EQ(mail.LookAt(mail.o.now + hours{5}).status, delayed);
  mail.Deliver({notices[0]}, Kind::Delayed, "connection refused");
  EXPECT_EQ(mail.o.status, delayed);
  EXPECT_THAT(mail.after.events, IsEmpty());
  mail.o.mail.under_way = {notices[1].id};
  mail.Deliver({notices[0]});
  EXPECT_EQ(Told(mail.o.status), "Unknown/Sending");
  mail.Deliver({notices[1]}, Kind::Delayed, "450 for this one alone");
  EXPECT_EQ(Told(mail.o.status), "False/MailDelayed") << "said at each try";
  mail.o.mail.under_way.clear();
  mail.Deliver({notices[1]});
  EXPECT_EQ(Told(mail.o.status), "True/Delivered");
}

TEST(Delayed, Says_what_is_in_the_way_now_and_not_what_was) {
  Correspondent mail = Subscribed();
  mail.o.now = BeforeEnd(hours{336});
  const Pass pass = RunPass(mail.o, mail.signer);
  mail.o.mail.under_way = {pass.last.notices.at(0).id};
  mail.Deliver(pass.last.notices, Kind::Delayed, "there is no file");
  mail.Deliver(pass.last.notices, Kind::Delayed, "535 wrong password");
  EXPECT_THAT(Message(mail.o.status),
              AllOf(HasSubstr("535 wrong password"), Not(HasSubstr("there is no file"))));
}

TEST(Delayed, Is_reported_beside_a_refused_reader) {
  Correspondent mail = Subscribed(3);
  mail.o.now = BeforeEnd(hours{336});
  const Pass pass = RunPass(mail.o, mail.signer);
  const auto& notices = pass.last.notices;
  mail.o.mail.under_way = {notices[0].id, notices[1].id, notices[2].id};
  mail.Deliver({notices[0]}, Kind::Delayed, "450 greylisted");
  mail.Deliver({notices[1]}, Kind::Refused, "550 no such user");
  const auto both = AllOf(HasSubstr("\"reader-1\" (refused). 550 no such user"),
                          HasSubstr("Mail is delayed"), HasSubstr("450 greylisted"));
  EXPECT_EQ(Told(mail.o.status), "False/RecipientRefused");
  EXPECT_THAT(Message(mail.o.status), both);
  const SystemStatus before = mail.o.status;
  EXPECT_EQ(mail.LookAt(mail.o.now + hours{1}).status, before) << "no write for it";
  mail.Deliver({notices[0]}, Kind::Delayed, "450 greylisted");
  EXPECT_EQ(mail.o.status, before);
  mail.Deliver({notices[0]}, Kind::Delayed, "451 disk full");
  EXPECT_THAT(Message(mail.o.status), AllOf(HasSubstr("550 no such user"), HasSubstr("451 disk"),
                                            Not(HasSubstr("greylisted"))));
  mail.Deliver({notices[0], notices[2]});
  EXPECT_THAT(Message(mail.o.status),
              AllOf(HasSubstr("(refused). 550 no such user"), Not(HasSubstr("Mail is delayed"))));
}

TEST(Delayed, A_repeated_reply_does_not_grow_the_message) {
  Correspondent mail = Subscribed(2);
  mail.o.now = BeforeEnd(hours{336});
  const Pass pass = RunPass(mail.o, mail.signer);
  const auto& notices = pass.last.notices;
  mail.o.mail.under_way = {notices[1].id};
  const std::string echo =
      "Mail is delayed and retried automatically. x "
      "Mail is delayed and retried automatically.";
  mail.Deliver({notices[0]}, Kind::Refused, echo);
  std::size_t length = 0;
  for (int n = 0; n < 5; ++n) {
    mail.Deliver({notices[1]}, Kind::Delayed, echo);
    if (n == 1) length = Message(mail.o.status).size();
  }
  EXPECT_EQ(Message(mail.o.status).size(), length);
}

}  // namespace
}  // namespace certpair::core::testing
