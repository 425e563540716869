// The course of SMTP dialogues, from recorded lines: no socket, no library.
#include "notify/dialogue.hpp"

#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "notify/conclusions.hpp"

namespace certpair::notify {
namespace {

// `C: ` is what libcurl says, `S: ` what the server answers, `T` the text of the mail.
Dialogue Follow(const DialogueNeeds& needs, const std::vector<std::string>& lines,
                bool* goes_on = nullptr) {
  Dialogue dialogue{needs};
  bool all = true;
  for (const std::string& line : lines) {
    if (line == "T")
      dialogue.OnText();
    else if (line.starts_with("C: "))
      dialogue.OnCommand(line.substr(3));
    else
      all = dialogue.OnReply(line.substr(3) + "\r\n");
    if (!all) break;
  }
  if (goes_on != nullptr) *goes_on = all;
  return dialogue;
}

const DialogueNeeds kClear{.tls = Tls::None};
const DialogueNeeds kLogin{.tls = Tls::Implicit, .login = true};

struct HelloRow {
  const char* name;
  DialogueNeeds needs;
  std::vector<std::string> lines;
  Objection objection;
};

void PrintTo(const HelloRow& row, std::ostream* out) { *out << row.name; }

class Hello : public testing::TestWithParam<HelloRow> {};

TEST_P(Hello, Is_judged_by_what_the_mail_needs) {
  bool goes_on = true;
  const Dialogue dialogue = Follow(GetParam().needs, GetParam().lines, &goes_on);
  EXPECT_EQ(dialogue.Objects(), GetParam().objection);
  EXPECT_EQ(goes_on, GetParam().objection == Objection::None);
}

INSTANTIATE_TEST_SUITE_P(
    Offers, Hello,
    testing::Values(
        HelloRow{"one_line", kClear, {"S: 220 hi", "C: EHLO me", "S: 250 you"}, Objection::None},
        HelloRow{"HELO_after_a_refused_EHLO",
                 kClear,
                 {"S: 220 hi", "C: EHLO me", "S: 502 what", "C: HELO me", "S: 250 you"},
                 Objection::None},
        HelloRow{"HELO_offers_no_login",
                 kLogin,
                 {"S: 220 hi", "C: EHLO me", "S: 502 what", "C: HELO me", "S: 250 you"},
                 Objection::NoLogin},
        HelloRow{"PIPELINING_changes_nothing",
                 kLogin,
                 {"C: EHLO me", "S: 250-you", "S: 250-PIPELINING", "S: 250 AUTH PLAIN"},
                 Objection::None},
        HelloRow{"keywords_in_lower_case",
                 kLogin,
                 {"C: EHLO me", "S: 250-you", "S: 250 auth plain"},
                 Objection::None},
        HelloRow{"AUTH_with_an_equals_sign_alone",
                 kLogin,
                 {"C: EHLO me", "S: 250-you", "S: 250 AUTH=LOGIN PLAIN"},
                 Objection::OtherLogin},
        HelloRow{"both_forms_of_AUTH",
                 kLogin,
                 {"C: EHLO me", "S: 250-you", "S: 250-AUTH=LOGIN", "S: 250 AUTH LOGIN"},
                 Objection::None},
        HelloRow{"no_AUTH", kLogin, {"C: EHLO me", "S: 250 you"}, Objection::NoLogin},
        HelloRow{"a_keyword_that_begins_like_AUTH",
                 kLogin,
                 {"C: EHLO me", "S: 250-you", "S: 250 AUTHX PLAIN"},
                 Objection::NoLogin},
        HelloRow{"stronger_mechanisms_beside_LOGIN",
                 kLogin,
                 {"C: EHLO me", "S: 250-you", "S: 250 AUTH GSSAPI NTLM LOGIN"},
                 Objection::None},
        HelloRow{"mechanisms_that_no_password_serves",
                 kLogin,
                 {"C: EHLO me", "S: 250-you", "S: 250 AUTH GSSAPI NTLM XOAUTH2"},
                 Objection::OtherLogin},
        HelloRow{"hashed_passwords_alone_the_second_time",
                 {.tls = Tls::Implicit, .login = true, .hashed_login = true},
                 {"C: EHLO me", "S: 250-you", "S: 250 AUTH CRAM-MD5"},
                 Objection::None},
        HelloRow{"no_AUTH_before_STARTTLS_is_fine",
                 {.tls = Tls::StartTls, .login = true},
                 {"S: 220 hi", "C: EHLO me", "S: 250-you", "S: 250 STARTTLS"},
                 Objection::None},
        HelloRow{"no_AUTH_after_STARTTLS",
                 {.tls = Tls::StartTls, .login = true},
                 {"S: 220 hi", "C: EHLO me", "S: 250-you", "S: 250-AUTH PLAIN", "S: 250 STARTTLS",
                  "C: STARTTLS", "S: 220 go", "C: EHLO me", "S: 250 you"},
                 Objection::NoLogin},
        HelloRow{"no_SMTPUTF8_for_a_mail_that_needs_it",
                 {.tls = Tls::None, .utf8 = true},
                 {"C: EHLO me", "S: 250-you", "S: 250 8BITMIME"},
                 Objection::NoUtf8},
        HelloRow{"SMTPUTF8_for_a_mail_that_needs_it",
                 {.tls = Tls::None, .utf8 = true},
                 {"C: EHLO me", "S: 250-you", "S: 250 SMTPUTF8"},
                 Objection::None}),
    [](const auto& test) { return std::string{test.param.name}; });

TEST(Dialogue, An_open_connection_is_judged_by_its_former_offers) {
  const Dialogue first = Follow(kClear, {"S: 220 hi", "C: EHLO me", "S: 250 you", "C: MAIL FROM:<>",
                                         "S: 250 ok", "C: RCPT TO:<>", "S: 250 ok"});
  Dialogue second{{.tls = Tls::None, .utf8 = true}, first.Offers()};
  second.OnCommand("MAIL FROM:<a@example.com> SMTPUTF8");
  EXPECT_FALSE(second.OnReply("250 ok\r\n"));
  EXPECT_EQ(second.Objects(), Objection::NoUtf8);
}

TEST(Dialogue, A_reply_counts_for_the_command_before_it_alone) {
  const Dialogue dialogue = Follow(
      kClear, {"C: MAIL FROM:<a@example.com>", "S: 550 early", "C: RCPT TO:<b@example.com>"});
  EXPECT_EQ(dialogue.At(), Stage::Recipient);
  EXPECT_EQ(dialogue.LastReply().code, 0);
}

TEST(Dialogue, Several_replies_at_once_leave_the_last) {
  Dialogue dialogue{kClear};
  dialogue.OnCommand("RCPT TO:<b@example.com>");
  EXPECT_TRUE(dialogue.OnReply("250 ok\r\n354 go\r\n554 no\r\n"));
  EXPECT_EQ(dialogue.LastReply().code, 554);
}

TEST(Dialogue, The_middle_of_a_login_stays_the_login) {
  const Dialogue dialogue = Follow(kLogin, {"C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6",
                                            "C: Y2VydA==", "S: 334 UGFzc3dvcmQ6", "C: c2VzYW1l"});
  EXPECT_EQ(dialogue.At(), Stage::Login);
}

TEST(Dialogue, QUIT_hides_nothing_of_the_failure_before_it) {
  const Dialogue dialogue = Follow(
      kClear, {"C: RCPT TO:<b@example.com>", "S: 550 5.1.1 unknown", "C: QUIT", "S: 221 bye"});
  EXPECT_EQ(dialogue.At(), Stage::Recipient);
  EXPECT_EQ(dialogue.LastReply().code, 550);
}

TEST(Dialogue, A_server_that_answers_without_end_is_left) {
  Dialogue dialogue{kClear};
  dialogue.OnCommand("EHLO me");
  int lines = 0;
  while (lines < 10'000 && dialogue.OnReply("250-more and more and more\r\n")) ++lines;
  EXPECT_LT(lines, 10'000);
  EXPECT_TRUE(dialogue.IsFlooded());
}

// What the mailer makes of a dialogue and its end.
struct EndRow {
  const char* name;
  Ending ending;
  std::vector<std::string> lines;
  Verdict verdict;
  const char* message;
};

void PrintTo(const EndRow& row, std::ostream* out) { *out << row.name; }

class End : public testing::TestWithParam<EndRow> {};

TEST_P(End, Says_what_becomes_of_the_mail) {
  const Dialogue dialogue = Follow(kLogin, GetParam().lines);
  Conclusions conclusions{"mail.example.com:465"};
  const Delivery delivery =
      conclusions.Of({.ending = GetParam().ending, .detail = "its\ndetail"}, dialogue);
  EXPECT_EQ(delivery.verdict, GetParam().verdict);
  EXPECT_EQ(delivery.message,
            *GetParam().message == '\0'
                ? ""
                : "The mail server mail.example.com:465 " + std::string{GetParam().message});
}

constexpr Verdict kAll = Verdict::DelayedAll;
constexpr Verdict kAlone = Verdict::DelayedAlone;

INSTANTIATE_TEST_SUITE_P(
    Of, End,
    testing::Values(
        EndRow{"a_mail_that_was_taken", Ending::Done, {"T", "S: 250 ok"}, Verdict::Sent, ""},
        EndRow{"a_stop_request", Ending::Stopped, {"S: 220 hi"}, Verdict::Stopped, ""},
        EndRow{"a_name_that_does_not_resolve",
               Ending::NotResolved,
               {},
               kAll,
               "cannot be reached: its name cannot be resolved."},
        EndRow{"a_connection_that_is_refused",
               Ending::NotConnected,
               {},
               kAll,
               "cannot be reached: nothing accepts the connection."},
        EndRow{"a_silence_at_the_greeting",
               Ending::TimedOut,
               {},
               kAll,
               "did not answer in time while connecting."},
        EndRow{"a_silence_after_the_text",
               Ending::TimedOut,
               {"C: DATA", "S: 354 go", "T"},
               kAlone,
               "did not answer in time after the message text."},
        EndRow{"no_STARTTLS",
               Ending::NoStartTls,
               {"C: EHLO me", "S: 250-you", "S: 250 AUTH PLAIN"},
               kAll,
               "does not offer STARTTLS, which --smtp-tls requires; nothing was sent in clear."},
        EndRow{"a_certificate_that_is_not_trusted",
               Ending::Untrusted,
               {},
               kAll,
               "has no trusted TLS: its detail."},
        EndRow{"a_login_that_is_refused",
               Ending::LoginDenied,
               {"C: AUTH PLAIN", "S: 535 5.7.8 sesame is wrong"},
               kAll,
               "answered at the login: 535 5.7.8"},
        EndRow{"a_login_without_a_reply",
               Ending::LoginDenied,
               {"C: AUTH PLAIN"},
               kAll,
               "does not accept the user and the password of the credentials file."},
        EndRow{"no_AUTH",
               Ending::Other,
               {"C: EHLO me", "S: 250 you"},
               kAll,
               "does not offer AUTH, but a credentials file is set."},
        EndRow{"a_connection_that_is_closed_at_the_recipient",
               Ending::Closed,
               {"C: RCPT TO:<a@example.com>"},
               kAlone,
               "closed the connection at RCPT TO."},
        EndRow{"garbage",
               Ending::Garbled,
               {"S: garbage"},
               kAll,
               "sent an answer that is not SMTP at the greeting."},
        EndRow{"a_reply_without_an_enhanced_code",
               Ending::Other,
               {"C: RCPT TO:<a@example.com>", "S: 550 relay not permitted"},
               kAlone,
               "answered at RCPT TO: 550 relay not permitted"},
        EndRow{"a_recipient_that_is_unknown",
               Ending::Other,
               {"C: RCPT TO:<a@example.com>", "S: 550 No such user <a@example.com>"},
               Verdict::Refused,
               "answered at RCPT TO: 550 No such user [address]"},
        EndRow{"a_server_that_is_closing",
               Ending::Other,
               {"C: DATA", "S: 421 closing"},
               kAll,
               "answered at DATA: 421 closing"},
        EndRow{"a_reply_with_control_characters",
               Ending::Other,
               {"C: MAIL FROM:<>", "S: 451 \x1b[31mred\x07"},
               kAll,
               "answered at MAIL FROM: 451 [31mred"},
        EndRow{"anything_else",
               Ending::Other,
               {"C: DATA", "S: 354 go"},
               kAlone,
               "failed at DATA: its detail."}),
    [](const auto& test) { return std::string{test.param.name}; });

TEST(Conclusions, Two_silences_in_a_row_are_the_servers) {
  Conclusions conclusions{"x:25"};
  const Dialogue silent = Follow(kClear, {"C: RCPT TO:<a@example.com>"});
  const Dialogue taken = Follow(kClear, {"T", "S: 250 ok"});
  const auto silence = [&] { return conclusions.Of({.ending = Ending::Closed}, silent).verdict; };
  EXPECT_EQ(silence(), kAlone);
  EXPECT_EQ(silence(), kAll);
  EXPECT_EQ(conclusions.Of({.ending = Ending::Done}, taken).verdict, Verdict::Sent);
  EXPECT_EQ(silence(), kAlone) << "a mail that was taken ends the row";
}

TEST(CourseAfter, A_connection_that_the_server_left_is_made_anew) {
  const struct {
    const char* what;
    Attempt attempt;
    std::vector<std::string> lines;
    Course course;
  } rows[] = {
      {"left without a word", {Ending::Closed, "", true}, {"C: MAIL FROM:<>"}, Course::Again},
      {"421", {Ending::Other, "", true}, {"C: MAIL FROM:<>", "S: 421 idle"}, Course::Again},
      {"a new connection", {Ending::Closed, "", false}, {"C: MAIL FROM:<>"}, Course::Over},
      {"a time-out", {Ending::TimedOut, "", true}, {"C: MAIL FROM:<>"}, Course::Over},
      {"an answer", {Ending::Other, "", true}, {"C: MAIL FROM:<>", "S: 550 no"}, Course::Over},
      {"after the sender", {Ending::Closed, "", true}, {"C: RCPT TO:<>"}, Course::Over},
      {"sent", {Ending::Done, "", true}, {"T", "S: 250 ok"}, Course::Over},
      {"stopped", {Ending::Stopped, "", true}, {"C: MAIL FROM:<>"}, Course::Over}};
  for (const auto& row : rows)
    EXPECT_EQ(CourseAfter(row.attempt, Follow(kClear, row.lines)), row.course) << row.what;
}

TEST(CourseAfter, Hashed_passwords_are_tried_when_nothing_else_is_offered) {
  const std::vector<std::string> offers{"C: EHLO me", "S: 250-you", "S: 250 AUTH CRAM-MD5"};
  EXPECT_EQ(CourseAfter({.ending = Ending::Other}, Follow(kLogin, offers)), Course::HashedLogin);
  EXPECT_EQ(CourseAfter({.ending = Ending::Stopped}, Follow(kLogin, offers)), Course::Over);
}

}  // namespace
}  // namespace certpair::notify
