#include "notify/conclusions.hpp"

#include <fmt/format.h>

#include "notify/text.hpp"

namespace certpair::notify {
namespace {

constexpr std::size_t kLongestDetail = 200;

std::string WhatTheServerDid(const Attempt& attempt, const Dialogue& dialogue) {
  const std::string_view step = Describe(dialogue.At());
  if (dialogue.IsFlooded()) return fmt::format("sent an endless answer {}", step);
  switch (attempt.ending) {
    case Ending::NotResolved:
      return "cannot be reached: its name cannot be resolved";
    case Ending::NotConnected:
      return "cannot be reached: nothing accepts the connection";
    case Ending::TimedOut:
      return fmt::format("did not answer in time {}", step);
    case Ending::NoStartTls:
      return "does not offer STARTTLS, which --smtp-tls requires; nothing was sent in clear";
    case Ending::Untrusted:
      return fmt::format("has no trusted TLS: {}", OneLine(attempt.detail, kLongestDetail));
    case Ending::LoginDenied:
      return "does not accept the user and the password of the credentials file";
    case Ending::Closed:
      return fmt::format("closed the connection {}", step);
    case Ending::Garbled:
      return fmt::format("sent an answer that is not SMTP {}", step);
    case Ending::Done:
    case Ending::Stopped:
    case Ending::Other:
      break;
  }
  return fmt::format("failed {}: {}", step, OneLine(attempt.detail, kLongestDetail));
}

// A server may close a connection that it finds idle, with 421 or without a word.
bool LeftMeanwhile(const Attempt& attempt, const Dialogue& dialogue) {
  const int code = dialogue.LastReply().code;
  return attempt.reused && dialogue.At() <= Stage::Sender && attempt.ending != Ending::TimedOut &&
         (code == 0 || code == 421);
}

}  // namespace

Course CourseAfter(const Attempt& attempt, const Dialogue& dialogue) {
  if (attempt.ending == Ending::Done || attempt.ending == Ending::Stopped) return Course::Over;
  if (dialogue.Objects() == Objection::OtherLogin) return Course::HashedLogin;
  return LeftMeanwhile(attempt, dialogue) ? Course::Again : Course::Over;
}

Delivery Conclusions::Of(const Attempt& attempt, const Dialogue& dialogue) {
  if (attempt.ending == Ending::Stopped) return {Verdict::Stopped, ""};
  if (attempt.ending == Ending::Done) {
    silences_ = 0;
    return {Verdict::Sent, ""};
  }
  const auto says = [&](std::string_view what) {
    return fmt::format("The mail server {} {}.", server_, what);
  };
  switch (dialogue.Objects()) {
    case Objection::NoLogin:
      return DelayedAll(says("does not offer AUTH, but a credentials file is set"));
    case Objection::OtherLogin:
      return DelayedAll(says("offers no AUTH mechanism that takes a user and a password"));
    case Objection::NoUtf8:
      return {Verdict::Refused,
              says("does not accept addresses beyond ASCII (it does not offer SMTPUTF8)")};
    case Objection::None:
      break;
  }
  const Reply& reply = dialogue.LastReply();
  if (reply.code >= 400 && reply.code < 600) {
    silences_ = 0;
    return {Judge(dialogue.At(), reply),
            fmt::format("The mail server {} answered {}: {}", server_, Describe(dialogue.At()),
                        Quote(dialogue.At(), reply))};
  }
  Delivery delivery = DelayedAll(says(WhatTheServerDid(attempt, dialogue)));
  // Once, this recipient or this text alone may be the cause; twice in a row, it is the server.
  if (dialogue.At() >= Stage::Recipient && ++silences_ == 1)
    delivery.verdict = Verdict::DelayedAlone;
  return delivery;
}

}  // namespace certpair::notify
