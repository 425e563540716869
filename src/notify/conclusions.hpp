// What follows from the end of an SMTP dialogue. Pure. Private to src/notify.
#pragma once

#include <string>

#include "notify/dialogue.hpp"
#include "notify/mailer.hpp"

namespace certpair::notify {

/// How a try ended, as the client saw it.
enum class Ending {
  Done,          ///< the server took the mail
  Stopped,       ///< the stop request came first
  NotResolved,   ///< the server's name
  NotConnected,  ///< no connection
  TimedOut,
  NoStartTls,   ///< it does not offer it, or refuses it
  Untrusted,    ///< TLS failed, or the certificate is not trusted
  LoginDenied,  ///< by the server, or by libcurl for want of a mechanism
  Closed,       ///< the server closed the connection
  Garbled,      ///< the server sent something else than a reply
  Other,
};

struct Attempt {
  Ending ending = Ending::Done;
  std::string detail;   ///< of Untrusted and Other, in the client's words; may be empty
  bool reused = false;  ///< over an open connection, which the server may have left meanwhile
};

/// What to do with the mail after a try.
enum class Course {
  Over,         ///< Conclusions say what became of it
  Again,        ///< over a new connection: the server had left the old one, and got nothing
  HashedLogin,  ///< again, with DialogueNeeds::hashed_login: the server offers nothing else
};
[[nodiscard]] Course CourseAfter(const Attempt& attempt, const Dialogue& dialogue);

/// Judges tries one after another. Not thread-safe.
class Conclusions {
 public:
  /// `server`: host and port, for messages.
  explicit Conclusions(std::string server) : server_(std::move(server)) {}
  /// The message names the server and the step, and no address and no secret.
  [[nodiscard]] Delivery Of(const Attempt& attempt, const Dialogue& dialogue);
  /// Of files that cannot be read, and the like: before any dialogue.
  [[nodiscard]] static Delivery DelayedAll(std::string message) {
    return {Verdict::DelayedAll, std::move(message)};
  }

 private:
  const std::string server_;
  int silences_ = 0;  // mails in a row that the server left without an answer, from RCPT TO on
};

}  // namespace certpair::notify
