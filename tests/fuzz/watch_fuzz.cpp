// Any octets as what an API server answers: a watch stream, cut into pieces wherever the first
// octet says; and the page of a list.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include <nlohmann/json.hpp>

#include "kube/client.hpp"
#include "kube/line_splitter.hpp"
#include "kube/list_parser.hpp"

namespace {

using namespace certpair;  // NOLINT(google-build-using-namespace): a program of one file
using std::chrono::milliseconds;

void Want(bool good) {
  if (!good) std::abort();
}

// Streams the octets as a connection would, and answers them to any other request.
class Wire : public kube::HttpTransport {
 public:
  Wire(std::string_view bytes, std::size_t piece) : bytes_(bytes), piece_(piece) {}
  kube::ApiResult<kube::HttpResponse> Send(const kube::HttpRequest&, milliseconds,
                                           std::stop_token) override {
    return kube::HttpResponse{200, std::string{bytes_}, {}};
  }
  kube::ApiResult<void> Stream(const kube::HttpRequest&, milliseconds, std::size_t,
                               const std::function<bool(std::string_view)>& on_line,
                               std::stop_token) override {
    constexpr std::size_t kMaxLine = 10'000;
    kube::LineSplitter splitter{kMaxLine};
    for (std::string_view rest = bytes_; !rest.empty();) {
      const std::string_view piece = rest.substr(0, piece_);
      rest.remove_prefix(piece.size());
      if (splitter.Append(piece, on_line) != kube::LineSplitter::Verdict::More) break;
      Want(splitter.Unfinished() <= kMaxLine);
    }
    return {};
  }

 private:
  const std::string_view bytes_;
  const std::size_t piece_;
};

class StandingClock : public Clock {
 public:
  [[nodiscard]] std::chrono::system_clock::time_point Now() const override { return {}; }
  [[nodiscard]] std::chrono::steady_clock::time_point Steady() const override { return {}; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  const StandingClock clock;
  const kube::Client client{std::make_shared<Wire>(bytes, std::size_t{data[0]} + 1), clock};
  const kube::Resource systems{"certpair.dev", "v1", "provisioningsystems", true};
  const auto ended = client.Watch(systems, {},
                                  [](const kube::WatchEvent& event) {
                                    Want(event.object != nullptr && event.object->is_object());
                                    return true;
                                  },
                                  {});
  Want(ended.has_value() || ended.error().kind == kube::ApiErrorKind::Protocol);
  std::size_t items = 0;
  if (const auto page = kube::ParseList(bytes, [&](nlohmann::json& item) {
        Want(item.is_object());
        ++items;
      }))
    Want(nlohmann::json::accept(bytes));
  static_cast<void>(kube::GuessContinueToken(bytes));
  static_cast<void>(kube::ErrorFromResponse(500, bytes, "GET systems", std::nullopt));
  return 0;
}
