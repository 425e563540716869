#include "http/message.hpp"

namespace certpair::http {

Response PlainText(int status, std::string text) {
  return {.status = status, .body = std::move(text) + "\n"};
}

Handler ReadOnly(Routes routes) {
  return [routes = std::move(routes)](const Request& request) {
    const auto route = routes.find(request.path);
    if (route == routes.end()) return PlainText(404, "not found");
    if (request.method != "GET" && request.method != "HEAD") {
      Response refused = PlainText(405, "only GET and HEAD are answered");
      refused.headers.emplace_back("Allow", "GET, HEAD");
      return refused;
    }
    return route->second(request);
  };
}

}  // namespace certpair::http
