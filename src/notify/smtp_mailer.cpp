#include "notify/smtp_mailer.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <stop_token>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <fmt/format.h>

#include "base/file_text.hpp"
#include "notify/reply.hpp"
#include "notify/text.hpp"

namespace certpair::notify {
namespace {

template <auto F>
struct Free {
  template <class T>
  void operator()(T* handle) const {
    F(handle);
  }
};
using Easy = std::unique_ptr<CURL, Free<curl_easy_cleanup>>;
using Multi = std::unique_ptr<CURLM, Free<curl_multi_cleanup>>;
using List = std::unique_ptr<curl_slist, Free<curl_slist_free_all>>;

constexpr std::chrono::milliseconds kFarewell{1500};

// What the server's bytes and curl's commands tell while a mail goes.
struct Conversation {
  const Letter* letter = nullptr;  // null: a farewell
  Tls tls = Tls::StartTls;
  bool needs_login = false;
  bool hashed_login = false;  // as kHashedLogin, for a server that offers nothing plainer
  Stage stage = Stage::Connect;
  bool secured = false;  // STARTTLS was said, or TLS was there from the start
  ReplyReader replies;
  std::size_t sent = 0;        // bytes of the text
  std::string_view objection;  // ours, to what the server offers
  bool flooded = false;
  bool leaves = false;
  CURL* easy = nullptr;  // whose patience grows once the whole text is sent
  std::chrono::milliseconds final_reply{};
};

constexpr std::string_view kNoLogin = "it offers no AUTH, and there are credentials for it";
constexpr std::string_view kOtherLogin =
    "it offers no way to log in with a user and a password that this operator knows";
// curl takes the strongest of what it knows and a server offers, which with GSSAPI or NTLM is one
// that a user and a password do not serve. Over TLS the plainest is as good.
constexpr const char* kPlainLogin = "AUTH=PLAIN;AUTH=LOGIN";
constexpr const char* kHashedLogin =
    "AUTH=SCRAM-SHA-256;AUTH=SCRAM-SHA-1;AUTH=DIGEST-MD5;AUTH=CRAM-MD5";
constexpr std::string_view kNoUtf8 =
    "the mail server takes no addresses beyond ASCII (it offers no SMTPUTF8)";

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

// Watches commands; what they hold, a password maybe, is not kept.
int OnDebug(CURL* /*easy*/, curl_infotype type, char* bytes, std::size_t size, void* user) {
  auto& talk = *static_cast<Conversation*>(user);
  // With QUIT curl ends what has failed already; what it has failed with is to be kept.
  if (type == CURLINFO_HEADER_OUT && std::string_view{bytes, size}.starts_with("QUIT"))
    talk.leaves = true;
  if (type != CURLINFO_HEADER_OUT || talk.leaves) return 0;
  talk.stage = StageOf({bytes, size}, talk.stage);
  talk.replies.Forget();
  if (talk.stage == Stage::Hello) talk.replies.ExpectOffers();
  if (talk.stage == Stage::Secure) talk.secured = true;
  return 0;
}

// What the server must offer, judged before anything that needs it is sent.
std::string_view Objection(const Conversation& talk) {
  if (talk.letter == nullptr) return {};
  const bool last_hello = talk.stage == Stage::Hello && (talk.secured || talk.tls != Tls::StartTls);
  if (last_hello && talk.needs_login && !talk.replies.Offers("AUTH")) return kNoLogin;
  const bool plain = talk.replies.OffersLogin("PLAIN") || talk.replies.OffersLogin("LOGIN");
  if (last_hello && talk.needs_login && !talk.hashed_login && !plain) return kOtherLogin;
  const bool before_recipient = last_hello || talk.stage == Stage::Sender;
  if (before_recipient && talk.letter->needs_utf8 && !talk.replies.Offers("SMTPUTF8"))
    return kNoUtf8;
  return {};
}

std::size_t OnReply(char* bytes, std::size_t /*one*/, std::size_t size, void* user) {
  auto& talk = *static_cast<Conversation*>(user);
  if (talk.leaves) return size;
  if (talk.stage == Stage::Connect) talk.stage = Stage::Greeting;
  if (!talk.replies.Read({bytes, size})) {
    talk.flooded = true;
    return 0;
  }
  const int code = talk.replies.Last().code;
  if (code >= 200 && code < 300) talk.objection = Objection(talk);
  return talk.objection.empty() ? size : 0;
}

// `[` and `]` of an address literal are not for a URL (RFC 3986 §3.3).
std::string PathOf(std::string_view helo_name) {
  std::string path;
  for (const char c : helo_name) path += c == '[' ? "%5B" : c == ']' ? "%5D" : std::string{c};
  return path;
}

// In whole seconds, as curl has it.
void WaitForReplies(CURL* easy, std::chrono::milliseconds time) {
  const auto whole = std::chrono::ceil<std::chrono::seconds>(time);
  curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, static_cast<long>(whole.count()));
}

std::size_t OnUpload(char* buffer, std::size_t one, std::size_t count, void* user) {
  auto& talk = *static_cast<Conversation*>(user);
  talk.stage = Stage::Body;
  talk.replies.Forget();
  const std::size_t size = std::min(one * count, talk.letter->bytes.size() - talk.sent);
  talk.letter->bytes.copy(buffer, size, talk.sent);
  talk.sent += size;
  // What is awaited next is the answer to the final dot; curl looks at the option while it waits.
  if (talk.sent == talk.letter->bytes.size()) WaitForReplies(talk.easy, talk.final_reply);
  return size;
}

std::size_t Discard(char* /*bytes*/, std::size_t one, std::size_t count, void* /*user*/) {
  return one * count;
}

struct Files {
  std::string authority;
  std::optional<Login> login;
};

bool Same(const Files& one, const Files& other) {
  if (one.login.has_value() != other.login.has_value()) return false;
  const bool same_login = !one.login || (one.login->user == other.login->user &&
                                         one.login->password == other.login->password);
  return same_login && one.authority == other.authority;
}

Result<Files> ReadFiles(const SmtpServer& server) {
  Files files;
  if (!server.ca_file.empty()) {
    auto text = ReadFileText(server.ca_file);
    if (!text) return Fail(text.error().code, "the CA file: " + text.error().message);
    if (text->find("-----BEGIN ") == std::string::npos)
      return Fail(ErrorCode::Invalid,
                  fmt::format("the CA file: {} holds no PEM certificate", server.ca_file));
    files.authority = std::move(*text);
  }
  if (!server.credentials_file.empty()) {
    auto text = ReadFileText(server.credentials_file);
    if (!text) return Fail(text.error().code, "the credentials file: " + text.error().message);
    const SecretString held{std::move(*text)};
    auto login = ParseLogin(held.Reveal());
    if (!login)
      return Fail(ErrorCode::Invalid, fmt::format("the credentials file {}: {}",
                                                  server.credentials_file, login.error().message));
    files.login = std::move(*login);
  }
  return files;
}

std::string UrlOf(const SmtpServer& server) {
  const bool ipv6 = server.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}/{}", server.tls == Tls::Implicit ? "smtps" : "smtp",
                     ipv6 ? "[" : "", server.host, ipv6 ? "]" : "", server.port,
                     PathOf(server.helo_name));
}

}  // namespace

// The handles live between mails, and the connection in them.
class SmtpMailer::Connection {
 public:
  explicit Connection(SmtpServer server) : server_(std::move(server)) {}

  Delivery Send(const Letter& letter, const std::stop_token& stop);
  void Close();

 private:
  struct Attempt {
    CURLcode code = CURLE_OK;
    bool stopped = false;
    bool reused = false;  // an open connection, which the server may have left meanwhile
  };
  void SetUp(Conversation& talk, const Files& files);
  void SetTls(const Files& files);
  Attempt Perform(const std::stop_token& stop);
  Attempt Try(Conversation& talk, const Letter& letter, const Files& files,
              const std::stop_token& stop);
  [[nodiscard]] Delivery JudgeAttempt(const Attempt& attempt, const Conversation& talk);
  [[nodiscard]] std::string Trouble(CURLcode code, const Conversation& talk) const;
  [[nodiscard]] std::string Where() const {
    return fmt::format("The mail server {}:{}", server_.host, server_.port);
  }
  [[nodiscard]] Delivery DelayAll(std::string_view why) const {
    return {Verdict::DelayedAll, fmt::format("{}: {}.", Where(), why)};
  }

  // The only way to end a mail in its middle: curl would take a handle that is removed for one that
  // is done, and end the text with a dot. Without a socket it waits for nothing more, not even for
  // the answer to its QUIT.
  static int OnProgress(void* user, curl_off_t /*dltotal*/, curl_off_t /*dlnow*/,
                        curl_off_t /*ultotal*/, curl_off_t /*ulnow*/) {
    auto& connection = *static_cast<Connection*>(user);
    if (!connection.stop_.stop_requested()) return 0;
    connection.CutOff();
    return 1;
  }
  static curl_socket_t OnOpenSocket(void* user, curlsocktype /*purpose*/, curl_sockaddr* address) {
    auto& connection = *static_cast<Connection*>(user);
    const curl_socket_t made =
        socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (made >= 0) connection.sockets_.push_back(made);
    return made;
  }
  static int OnCloseSocket(void* user, curl_socket_t socket) {
    auto& connection = *static_cast<Connection*>(user);
    std::erase(connection.sockets_, socket);
    return close(socket);
  }
  void CutOff() const {
    for (const curl_socket_t open : sockets_) shutdown(open, SHUT_RDWR);
  }

  const SmtpServer server_;
  std::stop_token stop_;  // of the mail that goes
  // All that are open: curl tries IPv6 and IPv4 side by side, and closes the slower one.
  std::vector<curl_socket_t> sockets_;
  Multi multi_;
  Easy easy_;
  bool open_ = false;
  Files files_;  // as the open connection has them
  std::array<char, CURL_ERROR_SIZE> error_{};
  bool hashed_login_ = false;
  int silences_ = 0;    // mails in a row that the server left without an answer in their middle
  ReplyReader offers_;  // of the open connection
};

void SmtpMailer::Connection::SetTls(const Files& files) {
  CURL* easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_USE_SSL,
                   static_cast<long>(server_.tls == Tls::None ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (files.authority.empty()) return;
  // The bytes, not the file: curl would remember a file's for a day.
  curl_blob blob{const_cast<char*>(files.authority.data()), files.authority.size(), CURL_BLOB_COPY};
  curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
}

void SmtpMailer::Connection::SetUp(Conversation& talk, const Files& files) {
  CURL* easy = easy_.get();
  curl_easy_reset(easy);
  curl_easy_setopt(easy, CURLOPT_URL, UrlOf(server_).c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // whatever the environment says
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // a name that is being resolved holds up nobody
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_.data());
  error_.front() = '\0';
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &OnOpenSocket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &OnCloseSocket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
  const auto limit = [&](CURLoption option, std::chrono::milliseconds time) {
    curl_easy_setopt(easy, option, static_cast<long>(time.count()));
  };
  limit(CURLOPT_CONNECTTIMEOUT_MS, server_.deadlines.connect);
  limit(CURLOPT_TIMEOUT_MS, talk.letter != nullptr ? server_.deadlines.mail : kFarewell);
  WaitForReplies(easy, server_.deadlines.reply);
  SetTls(files);
  if (files.login) {
    curl_easy_setopt(easy, CURLOPT_USERNAME, files.login->user.c_str());
    // A view of a whole std::string, so a zero follows it.
    const char* password =
        files.login->password.Reveal().data();  // NOLINT(bugprone-suspicious-stringview-data-usage)
    curl_easy_setopt(easy, CURLOPT_PASSWORD, password);
    curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS, talk.hashed_login ? kHashedLogin : kPlainLogin);
  }
  curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);  // without it no debug function is called
  curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, &OnDebug);
  curl_easy_setopt(easy, CURLOPT_DEBUGDATA, &talk);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &OnReply);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &talk);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Discard);
}

SmtpMailer::Connection::Attempt SmtpMailer::Connection::Perform(const std::stop_token& stop) {
  Attempt attempt;
  curl_easy_setopt(easy_.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy_.get(), CURLOPT_XFERINFOFUNCTION, &OnProgress);
  curl_easy_setopt(easy_.get(), CURLOPT_XFERINFODATA, this);
  stop_ = stop;
  curl_multi_add_handle(multi_.get(), easy_.get());
  {
    const std::stop_callback wake{stop, [this] { curl_multi_wakeup(multi_.get()); }};
    int running = 1;
    while (curl_multi_perform(multi_.get(), &running) == CURLM_OK && running > 0)
      curl_multi_poll(multi_.get(), nullptr, 0, 1000, nullptr);
  }
  attempt.code = CURLE_FAILED_INIT;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left))
    if (message->msg == CURLMSG_DONE) attempt.code = message->data.result;
  attempt.stopped = attempt.code == CURLE_ABORTED_BY_CALLBACK;
  long connects = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &connects);
  attempt.reused = open_ && connects == 0;
  curl_multi_remove_handle(multi_.get(), easy_.get());
  open_ = attempt.code == CURLE_OK;
  if (!open_) {
    // curl would use a connection again whose last answer did not come in time.
    CutOff();
    multi_.reset();
  }
  return attempt;
}

SmtpMailer::Connection::Attempt SmtpMailer::Connection::Try(Conversation& talk,
                                                            const Letter& letter,
                                                            const Files& files,
                                                            const std::stop_token& stop) {
  talk = Conversation{.letter = &letter,
                      .tls = server_.tls,
                      .needs_login = files.login.has_value(),
                      .hashed_login = hashed_login_,
                      .secured = server_.tls == Tls::Implicit,
                      .replies = offers_};
  talk.replies.Forget();
  if (!multi_) multi_.reset(curl_multi_init());
  if (!easy_) easy_.reset(curl_easy_init());
  if (!multi_ || !easy_) return {.code = CURLE_OUT_OF_MEMORY};
  SetUp(talk, files);
  CURL* easy = easy_.get();
  talk.easy = easy;
  talk.final_reply = server_.deadlines.final_reply;
  curl_easy_setopt(easy, CURLOPT_MAIL_FROM, fmt::format("<{}>", letter.from).c_str());
  const List recipients{curl_slist_append(nullptr, fmt::format("<{}>", letter.to).c_str())};
  curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, &OnUpload);
  curl_easy_setopt(easy, CURLOPT_READDATA, &talk);
  curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(letter.bytes.size()));
  const Attempt attempt = Perform(stop);
  offers_ = talk.replies;
  curl_easy_reset(easy);  // it points into `talk`, and holds the password
  return attempt;
}

Delivery SmtpMailer::Connection::Send(const Letter& letter, const std::stop_token& stop) {
  if (stop.stop_requested()) return {Verdict::Stopped, ""};
  auto files = ReadFiles(server_);
  if (!files)
    return {Verdict::DelayedAll, OneLine(files.error().message)};  // a path may be anything
  // curl would open another connection, and leave the one of the former login open in its pool.
  if (open_ && !Same(*files, files_)) Close();
  files_ = std::move(*files);
  Conversation talk;
  Attempt attempt = Try(talk, letter, files_, stop);
  // A server may close what it finds idle, with 421 or without a word: that is no trouble.
  const bool left_meanwhile = attempt.reused && talk.stage <= Stage::Sender &&
                              attempt.code != CURLE_OK && !attempt.stopped &&
                              (talk.replies.Last().code == 0 || talk.replies.Last().code == 421);
  if (left_meanwhile && attempt.code != CURLE_OPERATION_TIMEDOUT)
    attempt = Try(talk, letter, files_, stop);
  // Which of the two ways a server offers shows in its answer to EHLO, when curl has been told.
  if (talk.objection == kOtherLogin && !attempt.stopped) {
    hashed_login_ = true;
    attempt = Try(talk, letter, files_, stop);
  }
  if (attempt.code != CURLE_OK) hashed_login_ = false;  // the next one begins anew
  return JudgeAttempt(attempt, talk);
}

Delivery SmtpMailer::Connection::JudgeAttempt(const Attempt& attempt, const Conversation& talk) {
  if (attempt.stopped) return {Verdict::Stopped, ""};
  if (attempt.code == CURLE_OK) {
    silences_ = 0;
    return {Verdict::Sent, ""};
  }
  if (talk.objection == kNoUtf8) return {Verdict::Refused, fmt::format("{}.", kNoUtf8)};
  if (!talk.objection.empty()) return DelayAll(talk.objection);
  const Reply& reply = talk.replies.Last();
  if (reply.code >= 400 && reply.code < 600) {
    silences_ = 0;
    return {Judge(talk.stage, reply), fmt::format("{} answered, {}: {}", Where(),
                                                  Describe(talk.stage), Quote(talk.stage, reply))};
  }
  Delivery delivery = DelayAll(Trouble(attempt.code, talk));
  // Once it may be this recipient or this text alone that the server chokes on; twice it is not.
  if (talk.stage >= Stage::Recipient && ++silences_ == 1) delivery.verdict = Verdict::DelayedAlone;
  return delivery;
}

std::string SmtpMailer::Connection::Trouble(CURLcode code, const Conversation& talk) const {
  if (talk.flooded) return fmt::format("it answered without end, {}", Describe(talk.stage));
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return "its name cannot be resolved";
    case CURLE_COULDNT_CONNECT:
      return "nobody answers there";
    case CURLE_OPERATION_TIMEDOUT:
      return fmt::format("it did not answer in time, {}", Describe(talk.stage));
    case CURLE_USE_SSL_FAILED:
      return "it offers no STARTTLS, which is asked for; nothing was sent in clear";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ISSUER_ERROR:
      return fmt::format("no trusted TLS: {}", OneLine(error_.data(), 200));
    case CURLE_LOGIN_DENIED:
      return "it refuses the user and password of the credentials file, or has no way to be told "
             "them";
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
      return fmt::format("it closed the connection, {}", Describe(talk.stage));
    case CURLE_WEIRD_SERVER_REPLY:
      return fmt::format("its answer is none that SMTP knows, {}", Describe(talk.stage));
    default:
      return fmt::format("{}, {}", curl_easy_strerror(code), Describe(talk.stage));
  }
}

// curl says QUIT itself when it closes, but waits for the answer for two minutes, and nothing can
// end that wait: so it is said here before, and what is left is closed without a word.
void SmtpMailer::Connection::Close() {
  if (open_) {
    Conversation talk{.tls = server_.tls};
    SetUp(talk, files_);
    curl_easy_setopt(easy_.get(), CURLOPT_CUSTOMREQUEST, "QUIT");
    Perform({});
  }
  CutOff();
  files_ = {};
  easy_.reset();
  multi_.reset();
  open_ = false;
}

SmtpMailer::SmtpMailer(SmtpServer server) {
  static const bool kReady = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  static_cast<void>(kReady);
  connection_ = std::make_unique<Connection>(std::move(server));
}

SmtpMailer::~SmtpMailer() { Rest(); }

Delivery SmtpMailer::Send(const Letter& letter, const std::stop_token& stop) {
  return connection_->Send(letter, stop);
}

void SmtpMailer::Rest() { connection_->Close(); }

}  // namespace certpair::notify
