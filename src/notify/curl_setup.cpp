#include "notify/curl_setup.hpp"

#include <fmt/format.h>

namespace certpair::notify {
namespace {

// curl takes the strongest of what it knows and a server offers, which with GSSAPI or NTLM is one
// that a user and a password do not serve. Over TLS the plainest is as good.
constexpr const char* kPlainLogin = "AUTH=PLAIN;AUTH=LOGIN";
constexpr const char* kHashedLogin =
    "AUTH=SCRAM-SHA-256;AUTH=SCRAM-SHA-1;AUTH=DIGEST-MD5;AUTH=CRAM-MD5";

int OnDebug(CURL* /*easy*/, curl_infotype type, char* bytes, std::size_t size, void* user) {
  if (type == CURLINFO_HEADER_OUT) static_cast<Transfer*>(user)->dialogue.OnCommand({bytes, size});
  return 0;
}

std::size_t OnReply(char* bytes, std::size_t /*one*/, std::size_t size, void* user) {
  return static_cast<Transfer*>(user)->dialogue.OnReply({bytes, size}) ? size : 0;
}

std::size_t OnUpload(char* buffer, std::size_t one, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.dialogue.OnText();
  const std::size_t size = transfer.text.copy(buffer, one * count);
  transfer.text.remove_prefix(size);
  // What is awaited next is the answer to the final dot; curl looks at the option while it waits.
  if (transfer.text.empty()) SetPatience(transfer.easy, transfer.final_reply);
  return size;
}

std::size_t Discard(char* /*bytes*/, std::size_t one, std::size_t count, void* /*user*/) {
  return one * count;
}

// `[` and `]` of an address literal are not for a URL (RFC 3986 §3.3).
std::string PathOf(std::string_view helo_name) {
  std::string path;
  for (const char c : helo_name) path += c == '[' ? "%5B" : c == ']' ? "%5D" : std::string{c};
  return path;
}

}  // namespace

void SetPatience(CURL* easy, std::chrono::milliseconds time) {
  const auto whole = std::chrono::ceil<std::chrono::seconds>(time);
  curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, static_cast<long>(whole.count()));
}

std::string UrlOf(const SmtpServer& server) {
  const bool ipv6 = server.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}/{}", server.tls == Tls::Implicit ? "smtps" : "smtp",
                     ipv6 ? "[" : "", server.host, ipv6 ? "]" : "", server.port,
                     PathOf(server.helo_name));
}

void SetListeners(CURL* easy, Transfer& transfer) {
  curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);  // without it no debug function is called
  curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, &OnDebug);
  curl_easy_setopt(easy, CURLOPT_DEBUGDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &OnReply);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Discard);
}

void SetText(CURL* easy, Transfer& transfer) {
  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, &OnUpload);
  curl_easy_setopt(easy, CURLOPT_READDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(transfer.text.size()));
}

void SetTls(CURL* easy, Tls tls, const std::string& authority) {
  curl_easy_setopt(easy, CURLOPT_USE_SSL,
                   static_cast<long>(tls == Tls::None ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (authority.empty()) return;
  // The bytes, not the file: curl would remember a file's for a day.
  curl_blob blob{const_cast<char*>(authority.data()), authority.size(), CURL_BLOB_COPY};
  curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
}

void SetLogin(CURL* easy, const Login& login, bool hashed) {
  curl_easy_setopt(easy, CURLOPT_USERNAME, login.user.c_str());
  // A view of a whole std::string, so a zero follows it.
  const char* password =
      login.password.Reveal().data();  // NOLINT(bugprone-suspicious-stringview-data-usage)
  curl_easy_setopt(easy, CURLOPT_PASSWORD, password);
  curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS, hashed ? kHashedLogin : kPlainLogin);
}

Ending EndingOf(CURLcode code) {
  switch (code) {
    case CURLE_OK:
      return Ending::Done;
    case CURLE_ABORTED_BY_CALLBACK:
      return Ending::Stopped;
    case CURLE_COULDNT_RESOLVE_HOST:
      return Ending::NotResolved;
    case CURLE_COULDNT_CONNECT:
      return Ending::NotConnected;
    case CURLE_OPERATION_TIMEDOUT:
      return Ending::TimedOut;
    case CURLE_USE_SSL_FAILED:
      return Ending::NoStartTls;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ISSUER_ERROR:
      return Ending::Untrusted;
    case CURLE_LOGIN_DENIED:
      return Ending::LoginDenied;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
      return Ending::Closed;
    case CURLE_WEIRD_SERVER_REPLY:
      return Ending::Garbled;
    default:
      return Ending::Other;
  }
}

}  // namespace certpair::notify
