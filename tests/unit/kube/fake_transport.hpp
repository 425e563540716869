// A transport whose answers are functions of the test; and what tests need to read a request.
#pragma once

#include <cctype>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "kube/transport.hpp"

namespace certpair::kube {

inline std::string PercentDecoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      plain += static_cast<char>(std::stoi(std::string{text.substr(i + 1, 2)}, nullptr, 16));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

inline std::map<std::string, std::string> QueryOf(std::string_view path) {
  std::map<std::string, std::string> query;
  const std::size_t mark = path.find('?');
  if (mark == std::string_view::npos) return query;
  for (path.remove_prefix(mark + 1); !path.empty();) {
    const std::string_view pair = path.substr(0, path.find('&'));
    path.remove_prefix(std::min(path.size(), pair.size() + 1));
    const std::size_t equals = std::min(pair.find('='), pair.size() - 1);
    query[PercentDecoded(pair.substr(0, equals))] = PercentDecoded(pair.substr(equals + 1));
  }
  return query;
}

inline void WaitForStop(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock{mutex};
  never.wait(lock, stop, [] { return false; });
}

inline ApiError Cancelled() { return {ApiErrorKind::Cancelled, 0, {}, "cancelled", {}}; }

inline HttpResponse Answer(int status, const nlohmann::json& body) {
  return {status, body.dump(), {}};
}

inline HttpResponse StatusAnswer(int code, const std::string& reason) {
  return Answer(code, {{"kind", "Status"},
                       {"apiVersion", "v1"},
                       {"status", "Failure"},
                       {"code", code},
                       {"reason", reason},
                       {"message", "as the test wants it"}});
}

/// Thread-safe as far as its functions are.
class FakeTransport : public HttpTransport {
 public:
  using LineSink = std::function<bool(std::string_view)>;
  using SendFunction = std::function<ApiResult<HttpResponse>(const HttpRequest&, std::stop_token)>;
  using StreamFunction =
      std::function<ApiResult<void>(const HttpRequest&, const LineSink&, std::stop_token)>;

  SendFunction send;
  StreamFunction stream;

  ApiResult<HttpResponse> Send(const HttpRequest& request, std::chrono::milliseconds,
                               std::stop_token stop) override {
    Keep(request);
    if (send) return send(request, stop);
    WaitForStop(stop);
    return std::unexpected(Cancelled());
  }
  ApiResult<void> Stream(const HttpRequest& request, std::chrono::milliseconds, std::size_t,
                         const LineSink& on_line, std::stop_token stop) override {
    Keep(request);
    if (stream) return stream(request, on_line, stop);
    WaitForStop(stop);
    return std::unexpected(Cancelled());
  }
  std::vector<HttpRequest> Requests() const {
    const std::lock_guard lock{mutex_};
    return requests_;
  }

 private:
  void Keep(const HttpRequest& request) {
    const std::lock_guard lock{mutex_};
    requests_.push_back(request);
  }
  mutable std::mutex mutex_;
  std::vector<HttpRequest> requests_;
};

}  // namespace certpair::kube
