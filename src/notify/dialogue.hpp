// The course of an SMTP dialogue, as far as it is ours to judge. Pure: no socket, no library.
// Private to src/notify.
#pragma once

#include <string_view>

#include "notify/reply.hpp"
#include "notify/settings.hpp"

namespace certpair::notify {

/// What a mail needs of the server.
struct DialogueNeeds {
  Tls tls = Tls::StartTls;
  bool login = false;         ///< there are a user and a password
  bool hashed_login = false;  ///< CRAM-MD5, SCRAM or DIGEST-MD5 will do
  bool utf8 = false;          ///< an address is beyond ASCII (RFC 6531)
};

/// Why we leave, though the server would go on.
enum class Objection {
  None,
  NoLogin,     ///< it offers no AUTH
  OtherLogin,  ///< it offers AUTH, but no mechanism that a user and a password serve
  NoUtf8,      ///< it does not offer SMTPUTF8
};

/// libcurl leads the dialogue: it chooses each command, waits for the whole reply before the next
/// (also where the server offers PIPELINING), and stops at the first reply other than success. This
/// class follows both sides. It says how far the mail has come, what the server answered last, and
/// whether the server offers what the mail needs, before anything that needs it is sent. What
/// follows from that is Conclusions'. One for each try; not thread-safe.
class Dialogue {
 public:
  /// `offers`: what the server offered when the connection was opened, if it is open already.
  explicit Dialogue(const DialogueNeeds& needs, ReplyReader offers = {});

  /// A line goes to the server. Nothing of it is kept: it may hold a password.
  void OnCommand(std::string_view line);
  /// The text of the mail, or a part of it, goes to the server.
  void OnText();
  /// Bytes of replies come. False: leave.
  [[nodiscard]] bool OnReply(std::string_view bytes);

  [[nodiscard]] const DialogueNeeds& Needs() const { return needs_; }
  [[nodiscard]] Stage At() const { return stage_; }
  [[nodiscard]] Objection Objects() const { return objection_; }
  /// The server answered without end.
  [[nodiscard]] bool IsFlooded() const { return flooded_; }
  /// The last whole reply to the last command; code 0: none.
  [[nodiscard]] const Reply& LastReply() const { return replies_.Last(); }
  /// For the next mail over the same connection.
  [[nodiscard]] const ReplyReader& Offers() const { return replies_; }

 private:
  [[nodiscard]] Objection Judge() const;

  const DialogueNeeds needs_;
  Stage stage_ = Stage::Connect;
  bool secured_;         // STARTTLS was said, or TLS was there from the start
  bool leaves_ = false;  // QUIT was said: what came before is what counts
  ReplyReader replies_;
  Objection objection_ = Objection::None;
  bool flooded_ = false;
};

}  // namespace certpair::notify
