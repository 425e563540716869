// What an SMTP server answers, and what follows from it. Pure, thread-safe. Private to src/notify.
#pragma once

#include <string>
#include <string_view>

#include "notify/mailer.hpp"

namespace certpair::notify {

/// How far a mail has come: what was asked of the server last.
enum class Stage { Connect, Greeting, Hello, Secure, Login, Sender, Recipient, Data, Body };

/// RFC 5321 §4.2: lines of three digits, `-` in all but the last, and text.
struct Reply {
  int code = 0;  ///< 0: none
  std::string text;
};

/// Collects replies from bytes as they come. Bounded: of a line the first 600 bytes are kept, of a
/// reply the first 1,000; and of all that comes between two commands, 256 KiB are read.
class ReplyReader {
 public:
  /// False once there were too many: leave.
  [[nodiscard]] bool Read(std::string_view bytes);
  /// The last whole reply since Forget; code 0: none.
  [[nodiscard]] const Reply& Last() const { return last_; }
  /// A command went out: earlier replies do not answer it.
  void Forget() {
    last_ = {};
    total_ = 0;
  }
  /// Whether `keyword` was in the last whole reply to EHLO (RFC 5321 §4.1.1.1), in either case.
  [[nodiscard]] bool Offers(std::string_view keyword) const;
  /// Whether the last whole reply to EHLO offers this mechanism of AUTH (RFC 4954 §3).
  [[nodiscard]] bool OffersLogin(std::string_view mechanism) const;
  /// The next reply is one to EHLO.
  void ExpectOffers();

 private:
  bool EndLine();
  std::string line_;
  Reply building_;
  Reply last_;
  std::string offers_;  // lines, upper case, each begins and ends with '\n'
  bool collects_offers_ = false;
  std::size_t total_ = 0;
};

/// Whether the server's word stands for this mail, for none, or for now (RFC 5321 §4.2.1, RFC
/// 3463). Only for replies other than success. From the recipient on, a 5xx refuses the mail where
/// its enhanced code or, without one, its words are plainly about the recipient or the size. What
/// is about us (relaying, a login, the sender, policy, TLS, a block list), and whatever is not
/// clear, delays this mail: an installation's settings can end it, and waiting loses little.
[[nodiscard]] Verdict Judge(Stage stage, const Reply& reply);

/// The step, for messages: `at RCPT TO`, `while connecting`.
[[nodiscard]] std::string_view Describe(Stage stage);

/// The reply as a person may read it in a condition: one line of at most 200 characters, without
/// addresses. Of an answer to a login only the code, since some servers repeat what they were told.
[[nodiscard]] std::string Quote(Stage stage, const Reply& reply);

}  // namespace certpair::notify
