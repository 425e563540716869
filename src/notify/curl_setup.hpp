// What a try sets on libcurl's handles, and what libcurl's results mean. Included by
// smtp_connection.cpp alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "notify/conclusions.hpp"
#include "notify/dialogue.hpp"
#include "notify/settings.hpp"

namespace certpair::notify {

/// Frees a handle of libcurl.
template <auto F>
struct CurlFree {
  template <class T>
  void operator()(T* handle) const {
    F(handle);
  }
};
using CurlEasy = std::unique_ptr<CURL, CurlFree<curl_easy_cleanup>>;
using CurlMulti = std::unique_ptr<CURLM, CurlFree<curl_multi_cleanup>>;
using CurlList = std::unique_ptr<curl_slist, CurlFree<curl_slist_free_all>>;

/// What the callbacks of one try need; lives as long as the try.
struct Transfer {
  Dialogue& dialogue;
  CURL* easy;
  std::string_view text = {};  // what is not sent yet
  std::chrono::milliseconds final_reply{};
};

/// The URL that names the server and what EHLO says.
[[nodiscard]] std::string UrlOf(const SmtpServer& server);

/// Reports each command and each reply to the dialogue.
void SetListeners(CURL* easy, Transfer& transfer);
/// The text, which is read as the server takes it.
void SetText(CURL* easy, Transfer& transfer);
/// TLS as `tls` says, with the checks that it needs. `authority`: PEM; empty: the system's.
void SetTls(CURL* easy, Tls tls, const std::string& authority);
/// `hashed`: with a mechanism that does not show the password.
void SetLogin(CURL* easy, const Login& login, bool hashed);
/// How long to wait for each reply: rounded up to seconds, as libcurl has it.
void SetPatience(CURL* easy, std::chrono::milliseconds time);

[[nodiscard]] Ending EndingOf(CURLcode code);

}  // namespace certpair::notify
