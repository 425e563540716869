#include "notify/smtp_connection.hpp"

#include <array>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "notify/curl_setup.hpp"

namespace certpair::notify {
namespace {

constexpr std::chrono::milliseconds kFarewell{1500};

}  // namespace

// They live between mails, and the connection in them.
class SmtpConnection::Handles {
 public:
  explicit Handles(SmtpServer server) : server_(std::move(server)) {}

  Attempt Try(const Letter& letter, Dialogue& dialogue, const std::stop_token& stop);
  // An open connection of a former login stays in curl's pool, and another is opened beside it.
  void Use(SmtpFiles files) {
    if (open_ && !AreSame(files, files_)) Close();
    files_ = std::move(files);
  }
  void Close();

 private:
  void SetUp(Transfer& transfer, std::chrono::milliseconds limit);
  Attempt Perform(const std::stop_token& stop);

  // The only way to end a mail in its middle: curl would take a handle that is removed for one that
  // is done, and end the text with a dot. Without a socket it waits for nothing more, not even for
  // the answer to its QUIT.
  static int OnProgress(void* user, curl_off_t /*dltotal*/, curl_off_t /*dlnow*/,
                        curl_off_t /*ultotal*/, curl_off_t /*ulnow*/) {
    auto& handles = *static_cast<Handles*>(user);
    if (!handles.stop_.stop_requested()) return 0;
    handles.CutOff();
    return 1;
  }
  static curl_socket_t OnOpenSocket(void* user, curlsocktype /*purpose*/, curl_sockaddr* address) {
    auto& handles = *static_cast<Handles*>(user);
    const curl_socket_t made =
        socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (made >= 0) handles.sockets_.push_back(made);
    return made;
  }
  static int OnCloseSocket(void* user, curl_socket_t socket) {
    auto& handles = *static_cast<Handles*>(user);
    std::erase(handles.sockets_, socket);
    return close(socket);
  }
  void CutOff() const {
    for (const curl_socket_t open : sockets_) shutdown(open, SHUT_RDWR);
  }

  const SmtpServer server_;
  std::stop_token stop_;  // of the mail that is being sent
  // All that are open: curl tries IPv6 and IPv4 side by side, and closes the slower one.
  std::vector<curl_socket_t> sockets_;
  CurlMulti multi_;
  CurlEasy easy_;
  bool open_ = false;
  SmtpFiles files_;  // as the open connection has them
  std::array<char, CURL_ERROR_SIZE> error_{};
};

void SmtpConnection::Handles::SetUp(Transfer& transfer, std::chrono::milliseconds limit) {
  CURL* easy = easy_.get();
  curl_easy_reset(easy);
  curl_easy_setopt(easy, CURLOPT_URL, UrlOf(server_).c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // whatever the environment says
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // a resolver that hangs delays no exit
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_.data());
  error_.front() = '\0';
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &OnOpenSocket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &OnCloseSocket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
  const auto in_ms = [&](CURLoption option, std::chrono::milliseconds time) {
    curl_easy_setopt(easy, option, static_cast<long>(time.count()));
  };
  in_ms(CURLOPT_CONNECTTIMEOUT_MS, server_.deadlines.connect);
  in_ms(CURLOPT_TIMEOUT_MS, limit);
  SetPatience(easy, server_.deadlines.reply);
  SetTls(easy, server_.tls, files_.authority);
  if (files_.login) SetLogin(easy, *files_.login, transfer.dialogue.Needs().hashed_login);
  SetListeners(easy, transfer);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &OnProgress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
}

Attempt SmtpConnection::Handles::Perform(const std::stop_token& stop) {
  stop_ = stop;
  curl_multi_add_handle(multi_.get(), easy_.get());
  {
    const std::stop_callback wake{stop, [this] { curl_multi_wakeup(multi_.get()); }};
    int running = 1;
    while (curl_multi_perform(multi_.get(), &running) == CURLM_OK && running > 0)
      curl_multi_poll(multi_.get(), nullptr, 0, 1000, nullptr);
  }
  CURLcode code = CURLE_FAILED_INIT;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left))
    if (message->msg == CURLMSG_DONE) code = message->data.result;
  long connects = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &connects);
  Attempt attempt{.ending = EndingOf(code), .detail = {}, .reused = open_ && connects == 0};
  if (attempt.ending == Ending::Untrusted) attempt.detail = error_.data();
  if (attempt.ending == Ending::Other) attempt.detail = curl_easy_strerror(code);
  curl_multi_remove_handle(multi_.get(), easy_.get());
  open_ = code == CURLE_OK;
  if (!open_) {
    // curl would use a connection again whose last answer did not come in time.
    CutOff();
    multi_.reset();
  }
  return attempt;
}

Attempt SmtpConnection::Handles::Try(const Letter& letter, Dialogue& dialogue,
                                     const std::stop_token& stop) {
  if (!multi_) multi_.reset(curl_multi_init());
  if (!easy_) easy_.reset(curl_easy_init());
  if (!multi_ || !easy_)
    return {.ending = Ending::Other, .detail = curl_easy_strerror(CURLE_OUT_OF_MEMORY)};
  CURL* easy = easy_.get();
  Transfer transfer{dialogue, easy, letter.bytes, server_.deadlines.final_reply};
  SetUp(transfer, server_.deadlines.mail);
  curl_easy_setopt(easy, CURLOPT_MAIL_FROM, fmt::format("<{}>", letter.from).c_str());
  const CurlList recipients{curl_slist_append(nullptr, fmt::format("<{}>", letter.to).c_str())};
  curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, recipients.get());
  SetText(easy, transfer);
  Attempt attempt = Perform(stop);
  curl_easy_reset(easy);  // it points into `transfer`, and holds the password
  return attempt;
}

// curl says QUIT itself when it closes, but waits for the answer for two minutes, and nothing can
// end that wait: so it is said here before, and what is left is closed without a word.
void SmtpConnection::Handles::Close() {
  if (open_) {
    Dialogue farewell{{.tls = server_.tls}};
    Transfer transfer{farewell, easy_.get()};
    SetUp(transfer, kFarewell);
    curl_easy_setopt(easy_.get(), CURLOPT_CUSTOMREQUEST, "QUIT");
    Perform({});
  }
  CutOff();
  files_ = {};
  easy_.reset();
  multi_.reset();
  open_ = false;
}

SmtpConnection::SmtpConnection(SmtpServer server) {
  static const bool kReady = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  static_cast<void>(kReady);
  handles_ = std::make_unique<Handles>(std::move(server));
}

SmtpConnection::~SmtpConnection() = default;

Attempt SmtpConnection::Try(const Letter& letter, Dialogue& dialogue, const std::stop_token& stop) {
  return handles_->Try(letter, dialogue, stop);
}

void SmtpConnection::Use(SmtpFiles files) { handles_->Use(std::move(files)); }

void SmtpConnection::Close() { handles_->Close(); }

}  // namespace certpair::notify
