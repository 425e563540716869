#include "notify/smtp_mailer.hpp"

#include <utility>

#include <fmt/format.h>

#include "notify/smtp_files.hpp"
#include "notify/text.hpp"

namespace certpair::notify {
namespace {

constexpr int kMostTries = 3;  // a connection that was left, and a login of the other kind

}  // namespace

SmtpMailer::SmtpMailer(SmtpServer server)
    : server_(std::move(server)),
      connection_(server_),
      conclusions_(fmt::format("{}:{}", server_.host, server_.port)) {}

SmtpMailer::~SmtpMailer() { connection_.Close(); }

Delivery SmtpMailer::Send(const Letter& letter, const std::stop_token& stop) {
  if (stop.stop_requested()) return {Verdict::Stopped, ""};
  auto files = ReadFiles(server_);
  if (!files) return Conclusions::DelayedAll(OneLine(files.error().message));  // a path is any text
  const bool login = files->login.has_value();
  connection_.Use(std::move(*files));
  for (int tries = 1;; ++tries) {
    Dialogue dialogue{{.tls = server_.tls,
                       .login = login,
                       .hashed_login = hashed_login_,
                       .utf8 = letter.needs_utf8},
                      offers_};
    const Attempt attempt = connection_.Try(letter, dialogue, stop);
    offers_ = dialogue.Offers();
    const Course course = CourseAfter(attempt, dialogue);
    // The next mail begins with a plain login again: the server may offer it by then.
    hashed_login_ = course == Course::HashedLogin || (hashed_login_ && course == Course::Again) ||
                    (hashed_login_ && attempt.ending == Ending::Done);
    if (course == Course::Over || tries == kMostTries) return conclusions_.Of(attempt, dialogue);
  }
}

void SmtpMailer::Rest() { connection_.Close(); }

}  // namespace certpair::notify
