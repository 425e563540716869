#include "notify/dialogue.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace certpair::notify {
namespace {

Stage StageOf(std::string_view command, Stage now) {
  static constexpr std::array<std::pair<std::string_view, Stage>, 7> kVerbs{
      {{"EHLO", Stage::Hello},
       {"HELO", Stage::Hello},
       {"STARTTLS", Stage::Secure},
       {"AUTH", Stage::Login},
       {"MAIL", Stage::Sender},
       {"RCPT", Stage::Recipient},
       {"DATA", Stage::Data}}};
  const auto found = std::ranges::find_if(
      kVerbs, [&](const auto& verb) { return command.starts_with(verb.first); });
  return found == kVerbs.end() ? now : found->second;  // else the middle of a login
}

}  // namespace

Dialogue::Dialogue(const DialogueNeeds& needs, ReplyReader offers)
    : needs_(needs), secured_(needs.tls == Tls::Implicit), replies_(std::move(offers)) {
  replies_.Forget();
}

void Dialogue::OnCommand(std::string_view line) {
  // libcurl says QUIT when a mail has failed; the failure is what counts.
  if (line.starts_with("QUIT")) leaves_ = true;
  if (leaves_) return;
  stage_ = StageOf(line, stage_);
  replies_.Forget();
  if (stage_ == Stage::Hello) replies_.ExpectOffers();
  if (stage_ == Stage::Secure) secured_ = true;
}

void Dialogue::OnText() {
  stage_ = Stage::Body;
  replies_.Forget();
}

bool Dialogue::OnReply(std::string_view bytes) {
  if (leaves_) return true;
  if (stage_ == Stage::Connect) stage_ = Stage::Greeting;
  if (!replies_.Read(bytes)) {
    flooded_ = true;
    return false;
  }
  const int code = replies_.Last().code;
  if (code >= 200 && code < 300) objection_ = Judge();
  return objection_ == Objection::None;
}

Objection Dialogue::Judge() const {
  const bool last_hello = stage_ == Stage::Hello && (secured_ || needs_.tls != Tls::StartTls);
  if (last_hello && needs_.login) {
    if (!replies_.Offers("AUTH")) return Objection::NoLogin;
    const bool plain = replies_.OffersLogin("PLAIN") || replies_.OffersLogin("LOGIN");
    if (!plain && !needs_.hashed_login) return Objection::OtherLogin;
  }
  // An open connection begins with MAIL.
  const bool before_recipient = last_hello || stage_ == Stage::Sender;
  if (before_recipient && needs_.utf8 && !replies_.Offers("SMTPUTF8")) return Objection::NoUtf8;
  return Objection::None;
}

}  // namespace certpair::notify
