#include "kube/client.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "kube/list_parser.hpp"

namespace certpair::kube {
namespace {

using nlohmann::json;

// Bookmarks come about every minute. The transport gives up on its own a little later.
constexpr std::chrono::seconds kWatchIdle{130};
constexpr const char* kJson = "application/json";

// No second choice in it: a server that cannot cut an object down must not send it whole.
std::string AcceptOf(Shape shape, bool list) {
  if (shape == Shape::Object) return kJson;
  return fmt::format("application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1",
                     list ? "List" : "");
}

void AppendEncoded(std::string& out, std::string_view text) {
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
}

void AppendSegment(std::string& path, std::string_view segment) {
  if (segment.empty()) return;
  path += '/';
  AppendEncoded(path, segment);
}

// A path and its query, built in order; empty values are left out.
class Query {
 public:
  explicit Query(std::string path) : text_(std::move(path)) {}
  Query& Add(std::string_view key, std::string_view value) {
    if (value.empty()) return *this;
    text_ += std::exchange(separator_, '&');
    text_ += key;
    text_ += '=';
    AppendEncoded(text_, value);
    return *this;
  }
  [[nodiscard]] std::string Text() const { return text_; }

 private:
  std::string text_;
  char separator_ = '?';
};

Query WriteTo(std::string path, const WriteOptions& how) {
  Query query{std::move(path)};
  query.Add("dryRun", how.dry_run ? "All" : "").Add("fieldManager", how.field_manager);
  return query;
}

// YAML is what the server calls it, and JSON is YAML.
const char* ContentTypeOf(PatchKind kind) {
  switch (kind) {
    case PatchKind::Json:
      return "application/json-patch+json";
    case PatchKind::Apply:
      return "application/apply-patch+yaml";
    case PatchKind::Merge:
      break;
  }
  return "application/merge-patch+json";
}

std::string TextAt(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::string NameOf(const HttpRequest& request) {
  return fmt::format("{} {}", request.method, request.path);
}

std::unexpected<ApiError> Fail(ApiErrorKind kind, int status, std::string message) {
  return std::unexpected(ApiError{kind, status, "", std::move(message), std::nullopt});
}

void DropManagedFields(json& object) {
  const auto metadata = object.find("metadata");
  if (metadata != object.end() && metadata->is_object()) metadata->erase("managedFields");
}

// Whether an object can have this name. Any other would be taken for another path: `..` for the
// folder above, `a/b` for a subresource, nothing for the whole list. The rule is that of "Path
// segment names": https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
bool IsPathSegmentName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of("/%") == std::string_view::npos;
}

// nlohmann throws on text that is not UTF-8, which only our own fault can bring here.
ApiResult<std::string> Encode(const json& value, std::string_view what) {
  try {
    return value.dump();
  } catch (const json::exception&) {
    return Fail(ApiErrorKind::Invalid, 0, fmt::format("{}: the object is not valid UTF-8", what));
  }
}

ApiResult<json> DecodeObject(const HttpRequest& request, const HttpResponse& response) {
  json object = json::parse(response.body, nullptr, false);
  if (!object.is_object())
    return Fail(ApiErrorKind::Protocol, response.status,
                fmt::format("{}: the answer is not a JSON object", NameOf(request)));
  DropManagedFields(object);
  return object;
}

HttpRequest ListRequest(const Resource& resource, const ListOptions& options) {
  return {
      "GET",
      Query(PathOf(resource, options.namespace_))
          .Add("limit", options.limit > 0 ? fmt::to_string(options.limit) : "")
          .Add("continue", options.continue_token)
          // A continue token carries its own version; the server refuses both together.
          .Add("resourceVersion", options.continue_token.empty() ? options.resource_version : "")
          .Add("resourceVersionMatch", options.exact_version ? "Exact" : "")
          .Add("labelSelector", options.label_selector)
          .Add("fieldSelector", options.field_selector)
          .Text(),
      "",
      AcceptOf(options.shape, true),
      "",
      options.max_bytes};
}

ApiResult<Page> PageOf(const HttpRequest& request, const HttpResponse& response,
                       const ItemSink& sink) {
  auto page = ParseList(response.body, sink);
  if (!page)
    return Fail(ApiErrorKind::Protocol, response.status,
                fmt::format("{}: the answer is not a list", NameOf(request)));
  return std::move(*page);
}

WatchEventType TypeOf(std::string_view name) {
  if (name == "ADDED") return WatchEventType::Added;
  if (name == "MODIFIED") return WatchEventType::Modified;
  if (name == "DELETED") return WatchEventType::Deleted;
  if (name == "BOOKMARK") return WatchEventType::Bookmark;
  return WatchEventType::Error;
}

bool IsKnownType(std::string_view name) {
  return name == "ERROR" || TypeOf(name) != WatchEventType::Error;
}

}  // namespace

std::string PathOf(const Resource& resource, std::string_view namespace_, std::string_view name,
                   std::string_view subresource) {
  std::string path = resource.group.empty() ? "/api" : "/apis";
  AppendSegment(path, resource.group);
  AppendSegment(path, resource.version);
  if (resource.namespaced && !namespace_.empty()) {
    AppendSegment(path, "namespaces");
    AppendSegment(path, namespace_);
  }
  AppendSegment(path, resource.plural);
  AppendSegment(path, name);
  AppendSegment(path, subresource);
  return path;
}

Client::Client(std::shared_ptr<HttpTransport> transport, const Clock& clock, Observer observer,
               std::chrono::milliseconds deadline)
    : transport_(std::move(transport)),
      clock_(clock),
      observer_(std::move(observer)),
      deadline_(deadline) {}

Client Client::As(std::shared_ptr<const Identity> identity) const {
  Client client = *this;
  client.identity_ = std::move(identity);
  return client;
}

// A server, or a proxy before it, may repeat what it was sent.
ApiError Client::WithoutToken(ApiError error) const {
  if (!identity_ || identity_->Token().empty()) return error;
  const std::string_view token = identity_->Token().Reveal();
  for (std::string* text : {&error.message, &error.reason})
    for (std::size_t at = text->find(token); at != std::string::npos; at = text->find(token, at))
      text->replace(at, token.size(), "[redacted]");
  return error;
}

ApiResult<HttpResponse> Client::Send(HttpRequest request, std::string_view verb,
                                     std::string_view resource, std::stop_token stop) const {
  request.identity = identity_;
  const auto start = clock_.Steady();
  auto response = transport_->Send(request, deadline_, std::move(stop));
  if (observer_)
    observer_({verb, resource, request.path, response ? response->status : response.error().status,
               clock_.Steady() - start});
  if (!response) return std::unexpected(WithoutToken(std::move(response.error())));
  if (response->status >= 200 && response->status < 300) return response;
  return std::unexpected(WithoutToken(
      ErrorFromResponse(response->status, response->body, NameOf(request), response->retry_after)));
}

ApiResult<json> Client::SendObject(const HttpRequest& request, std::string_view verb,
                                   std::string_view resource, std::stop_token stop) const {
  auto response = Send(request, verb, resource, std::move(stop));
  if (!response) return std::unexpected(std::move(response.error()));
  return DecodeObject(request, *response);
}

ApiResult<json> Client::Get(const Resource& resource, std::string_view namespace_,
                            std::string_view name, std::stop_token stop, Shape shape) const {
  if (!IsPathSegmentName(name))
    return Fail(ApiErrorKind::NotFound, 0,
                fmt::format("no object of {} can have the name \"{}\"", resource.plural, name));
  return SendObject({"GET", PathOf(resource, namespace_, name), "", AcceptOf(shape, false), ""},
                    "GET", resource.plural, std::move(stop));
}

ApiResult<json> Client::Create(const Resource& resource, std::string_view namespace_,
                               const json& object, std::stop_token stop, Shape shape,
                               const WriteOptions& how) const {
  HttpRequest request{"POST", WriteTo(PathOf(resource, namespace_), how).Text(), kJson,
                      AcceptOf(shape, false), ""};
  auto body = Encode(object, NameOf(request));
  if (!body) return std::unexpected(std::move(body.error()));
  request.body = std::move(*body);
  return SendObject(request, "CREATE", resource.plural, std::move(stop));
}

ApiResult<json> Client::Update(const Resource& resource, const json& object, std::stop_token stop,
                               Shape shape) const {
  const auto metadata = object.find("metadata");
  const bool has_metadata = metadata != object.end() && metadata->is_object();
  const std::string name = has_metadata ? TextAt(*metadata, "name") : "";
  const std::string namespace_ = has_metadata ? TextAt(*metadata, "namespace") : "";
  if (name.empty() || (resource.namespaced && namespace_.empty()))
    return Fail(ApiErrorKind::Invalid, 0,
                fmt::format("PUT of {}: the object has no name or namespace", resource.plural));
  HttpRequest request{"PUT", PathOf(resource, namespace_, name), kJson, AcceptOf(shape, false), ""};
  auto body = Encode(object, NameOf(request));
  if (!body) return std::unexpected(std::move(body.error()));
  request.body = std::move(*body);
  return SendObject(request, "UPDATE", resource.plural, std::move(stop));
}

ApiResult<json> Client::MergePatch(const Resource& resource, std::string_view namespace_,
                                   std::string_view name, std::string_view subresource,
                                   const json& patch, std::stop_token stop, Shape shape) const {
  HttpRequest request{"PATCH", PathOf(resource, namespace_, name, subresource),
                      "application/merge-patch+json", AcceptOf(shape, false), ""};
  auto body = Encode(patch, NameOf(request));
  if (!body) return std::unexpected(std::move(body.error()));
  request.body = std::move(*body);
  return SendObject(request, "PATCH", resource.plural, std::move(stop));
}

ApiResult<json> Client::Patch(const Resource& resource, std::string_view namespace_,
                              std::string_view name, PatchKind kind, const json& patch,
                              const WriteOptions& how, std::stop_token stop) const {
  Query query = WriteTo(PathOf(resource, namespace_, name), how);
  if (kind == PatchKind::Apply) query.Add("force", how.force ? "true" : "false");
  HttpRequest request{"PATCH", query.Text(), ContentTypeOf(kind), kJson, ""};
  auto body = Encode(patch, NameOf(request));
  if (!body) return std::unexpected(std::move(body.error()));
  request.body = std::move(*body);
  return SendObject(request, "PATCH", resource.plural, std::move(stop));
}

ApiResult<void> Client::Delete(const Resource& resource, std::string_view namespace_,
                               std::string_view name, const DeletePreconditions& preconditions,
                               std::stop_token stop) const {
  json options{{"kind", "DeleteOptions"}, {"apiVersion", "v1"}};
  if (!preconditions.uid.empty()) options["preconditions"]["uid"] = preconditions.uid;
  if (!preconditions.resource_version.empty())
    options["preconditions"]["resourceVersion"] = preconditions.resource_version;
  const HttpRequest request{"DELETE", PathOf(resource, namespace_, name), kJson,
                            AcceptOf(Shape::MetadataOnly, false), options.dump()};
  auto response = Send(request, "DELETE", resource.plural, std::move(stop));
  if (!response) return std::unexpected(std::move(response.error()));
  return {};
}

ApiResult<Page> Client::List(const Resource& resource, const ListOptions& options,
                             const ItemSink& sink, std::stop_token stop) const {
  const HttpRequest request = ListRequest(resource, options);
  const auto response = Send(request, "LIST", resource.plural, std::move(stop));
  if (!response) return std::unexpected(response.error());
  return PageOf(request, *response, sink);
}

ApiResult<NamesPage> Client::ListNames(const Resource& resource, const ListOptions& options,
                                       std::stop_token stop) const {
  HttpRequest request = ListRequest(resource, options);
  request.path += "&includeObject=None";  // there is a query: the limit
  request.accept = "application/json;as=Table;g=meta.k8s.io;v=v1";
  const auto response = Send(request, "LIST", resource.plural, std::move(stop));
  if (!response) return std::unexpected(response.error());
  auto names = ParseTable(response->body);
  if (!names)
    return Fail(ApiErrorKind::Protocol, response->status,
                fmt::format("{}: the answer is not a Table", NameOf(request)));
  return std::move(*names);
}

ApiResult<std::string> Client::ListAll(const Resource& resource, const ListOptions& options,
                                       const ItemSink& sink, const std::stop_token& stop) const {
  auto listed = ListUpTo(resource, options, {}, sink, stop);
  if (!listed) return std::unexpected(std::move(listed.error()));
  return std::move(listed->resource_version);
}

ApiResult<Listed> Client::ListUpTo(const Resource& resource, const ListOptions& options,
                                   const ListLimits& limits, const ItemSink& sink,
                                   const std::stop_token& stop) const {
  Listed listed;
  std::size_t bytes = 0;
  const ItemSink count = [&](json& item) {
    ++listed.objects;
    sink(item);
  };
  ListOptions next = options;
  HttpRequest request = ListRequest(resource, next);
  auto response = Send(request, "LIST", resource.plural, stop);
  for (std::size_t pages = 1;; ++pages) {
    while (!response && response.error().kind == ApiErrorKind::TooLarge && next.limit > 1) {
      next.limit /= 2;
      request = ListRequest(resource, next);
      response = Send(request, "LIST", resource.plural, stop);
    }
    if (!response) return std::unexpected(std::move(response.error()));
    bytes += response->body.size();
    // A guess is enough: it is compared with what the whole page says.
    next.continue_token = GuessContinueToken(response->body);
    const HttpRequest request_ahead = ListRequest(resource, next);
    ApiResult<HttpResponse> response_ahead;
    std::jthread ahead;
    if (!next.continue_token.empty() && bytes < limits.bytes && pages < limits.objects)
      ahead = std::jthread{
          [&] { response_ahead = Send(request_ahead, "LIST", resource.plural, stop); }};
    auto page = PageOf(request, *response, count);
    const bool has_ahead = ahead.joinable();
    if (has_ahead) ahead.join();
    if (!page) return std::unexpected(std::move(page.error()));
    listed.resource_version = std::move(page->resource_version);
    listed.continue_token = std::move(page->continue_token);
    const bool is_enough =
        bytes >= limits.bytes || std::max(listed.objects, pages) >= limits.objects;
    if (!listed.IsCut() || is_enough) return listed;
    const bool guessed = has_ahead && listed.continue_token == next.continue_token;
    next.continue_token = listed.continue_token;
    request = ListRequest(resource, next);
    response = guessed ? std::move(response_ahead) : Send(request, "LIST", resource.plural, stop);
  }
}

ApiResult<void> Client::Watch(const Resource& resource, const WatchOptions& options,
                              const std::function<bool(const WatchEvent&)>& on_event,
                              std::stop_token stop) const {
  HttpRequest request{"GET",
                      Query(PathOf(resource, options.namespace_))
                          .Add("watch", "true")
                          .Add("allowWatchBookmarks", "true")
                          .Add("resourceVersion", options.resource_version)
                          .Add("timeoutSeconds", fmt::to_string(options.timeout.count()))
                          .Add("labelSelector", options.label_selector)
                          .Add("fieldSelector", options.field_selector)
                          .Text(),
                      "", AcceptOf(options.shape, false), ""};
  request.identity = identity_;
  bool garbage = false;
  const auto on_line = [&](std::string_view line) {
    json event = json::parse(line, nullptr, false);
    const auto type = event.find("type");
    const auto object = event.find("object");
    garbage = !event.is_object() || type == event.end() || !type->is_string() ||
              object == event.end() || !object->is_object() ||
              !IsKnownType(type->get_ref<const std::string&>());
    if (garbage) return false;
    DropManagedFields(*object);
    return on_event({TypeOf(type->get_ref<const std::string&>()), &*object});
  };
  const auto start = clock_.Steady();
  auto ended = transport_->Stream(request, kWatchIdle, options.max_line, on_line, std::move(stop));
  if (ended && garbage)
    ended = Fail(ApiErrorKind::Protocol, 200,
                 fmt::format("{}: a line is not a watch event", NameOf(request)));
  if (observer_)
    observer_({"WATCH", resource.plural, request.path, ended ? 200 : ended.error().status,
               clock_.Steady() - start});
  if (!ended) return std::unexpected(WithoutToken(std::move(ended.error())));
  return ended;
}

ApiResult<std::string> Client::Raw(std::string_view path, std::stop_token stop) const {
  // Readiness is plain text; asked for JSON alone, some servers refuse.
  const HttpRequest request{"GET", std::string{path}, "", "application/json, */*", ""};
  auto response = Send(request, "GET", "", std::move(stop));
  if (!response) return std::unexpected(std::move(response.error()));
  return std::move(response->body);
}

}  // namespace certpair::kube
