// A typed-by-resource Kubernetes client: objects are JSON values, errors are reactions.
#pragma once

#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/clock.hpp"
#include "kube/error.hpp"
#include "kube/transport.hpp"

namespace certpair::kube {

/// A kind by its REST place: {"certpair.dev","v1","provisioningsystems"}, {"","v1","secrets"}.
struct Resource {
  std::string group;
  std::string version;
  std::string plural;
  bool namespaced = true;
  friend bool operator==(const Resource&, const Resource&) = default;
};

/// Percent-encoded REST path, without query. Empty `namespace_` of a namespaced resource: all
/// namespaces. Empty `name`: the collection.
[[nodiscard]] std::string PathOf(const Resource& resource, std::string_view namespace_,
                                 std::string_view name = {}, std::string_view subresource = {});

/// What the server answers with: the whole object, or only its metadata (no key ever comes back
/// from a Secret write).
enum class Shape { Object, MetadataOnly };

struct DeletePreconditions {
  std::string uid;               ///< empty: none
  std::string resource_version;  ///< empty: none
};

/// One page of a list; items come one at a time while it is parsed, without managedFields.
struct Page {
  std::string resource_version;
  std::string continue_token;  ///< empty: the last page
};
using ItemSink = std::function<void(nlohmann::json& item)>;
/// How much of a list to read. The page that reaches a limit is the last one, and is read in whole;
/// each page counts as one object at least, so that a server cannot send empty pages for ever.
struct ListLimits {
  std::size_t objects = std::numeric_limits<std::size_t>::max();
  std::size_t bytes = std::numeric_limits<std::size_t>::max();  ///< of the server's answers
};
/// What was read of a list.
struct Listed {
  std::string resource_version;
  std::string continue_token;  ///< where the next page begins; empty: all was read
  std::size_t objects = 0;
  [[nodiscard]] bool IsCut() const { return !continue_token.empty(); }
};
/// The same page without its objects: only what they are called.
struct NamesPage {
  Page page;
  std::vector<std::string> names;
};

/// What one page of a list, or one line of a watch, may weigh. etcd keeps objects of 1.5 MiB; where
/// the JSON escapes every byte, and with its managedFields, one comes near 10 MB.
inline constexpr std::size_t kMaxPage = std::size_t{16} << 20;
inline constexpr std::size_t kMaxLine = kMaxPage;

struct ListOptions {
  std::string namespace_;  ///< empty: all (or cluster-scoped)
  std::string label_selector;
  std::string field_selector;
  int limit = 500;
  std::string continue_token;
  std::string resource_version;  ///< "0": from the watch cache
  bool exact_version = false;    ///< the list as it was at resource_version
  Shape shape = Shape::Object;
  std::size_t max_bytes = kMaxPage;  ///< a larger page is TooLarge, before any item is handed out
};

struct WatchOptions {
  std::string namespace_;
  std::string label_selector;
  std::string field_selector;
  std::string resource_version;
  std::chrono::seconds timeout{300};  ///< asked of the server
  Shape shape = Shape::Object;
  std::size_t max_line = kMaxLine;  ///< a larger event ends the watch: TooLarge
};

enum class WatchEventType { Added, Modified, Deleted, Bookmark, Error };
struct WatchEvent {
  WatchEventType type = WatchEventType::Error;
  nlohmann::json* object = nullptr;  ///< valid during the call; a metav1.Status for Error
};

/// What was asked and how it ended, for metrics: verb is GET, LIST, WATCH, CREATE, UPDATE, PATCH,
/// DELETE; code is the HTTP status or 0 where none came.
struct RequestRecord {
  std::string_view verb;
  std::string_view resource;
  std::string_view path;  ///< with query
  int code = 0;
  std::chrono::nanoseconds took{};
};

/// How a write is meant (Kubernetes API concepts: dry-run, field management).
struct WriteOptions {
  bool dry_run = false;       ///< `dryRun=All`: everything but the storing
  std::string field_manager;  ///< whose fields these are; empty: by User-Agent. Apply needs one
  bool force = false;         ///< Apply: take fields over that others own, rather than Conflict
};

enum class PatchKind {
  Merge,  ///< RFC 7386
  Json,   ///< RFC 6902: `test`s that fail are Invalid
  Apply,  ///< server-side apply; creates where there is none, unless metadata.uid is given (then
          ///< Conflict)
};

/// Thread-safe; calls block. Each request has a deadline of 15 s unless told otherwise. Nothing is
/// retried here, except that 401 is answered once by reading the credentials again (in the
/// transport).
class Client {
 public:
  using Observer = std::function<void(const RequestRecord&)>;
  static constexpr std::chrono::seconds kDeadline{15};
  /// `deadline`: of each request but watches.
  Client(std::shared_ptr<HttpTransport> transport, const Clock& clock, Observer observer = {},
         std::chrono::milliseconds deadline = kDeadline);

  /// The same client for another user (null: the transport's own credentials); cheap.
  [[nodiscard]] Client As(std::shared_ptr<const Identity> identity) const;

  ApiResult<nlohmann::json> Get(const Resource& resource, std::string_view namespace_,
                                std::string_view name, std::stop_token stop = {},
                                Shape shape = Shape::Object) const;
  ApiResult<nlohmann::json> Create(const Resource& resource, std::string_view namespace_,
                                   const nlohmann::json& object, std::stop_token stop = {},
                                   Shape shape = Shape::Object, const WriteOptions& how = {}) const;
  /// PUT; carries metadata.resourceVersion of `object` as its precondition.
  ApiResult<nlohmann::json> Update(const Resource& resource, const nlohmann::json& object,
                                   std::stop_token stop = {}, Shape shape = Shape::Object) const;
  /// RFC 7386 merge patch; `subresource` is "" or "status". metadata.resourceVersion in `patch`
  /// makes it conditional.
  ApiResult<nlohmann::json> MergePatch(const Resource& resource, std::string_view namespace_,
                                       std::string_view name, std::string_view subresource,
                                       const nlohmann::json& patch, std::stop_token stop = {},
                                       Shape shape = Shape::Object) const;
  ApiResult<nlohmann::json> Patch(const Resource& resource, std::string_view namespace_,
                                  std::string_view name, PatchKind kind,
                                  const nlohmann::json& patch, const WriteOptions& how,
                                  std::stop_token stop = {}) const;
  ApiResult<void> Delete(const Resource& resource, std::string_view namespace_,
                         std::string_view name, const DeletePreconditions& preconditions,
                         std::stop_token stop = {}) const;
  ApiResult<Page> List(const Resource& resource, const ListOptions& options, const ItemSink& sink,
                       std::stop_token stop = {}) const;
  /// The page that List would answer with, as a Table without objects, which is small whatever the
  /// objects weigh (Kubernetes API concepts: receiving resources as Tables).
  ApiResult<NamesPage> ListNames(const Resource& resource, const ListOptions& options,
                                 std::stop_token stop = {}) const;
  /// All pages, of which the next one is asked for while one is read; the answer is the version of
  /// the list. `sink` is called on this thread. A page that is too large is asked for again with
  /// half the limit; an object that is too large alone is an error.
  ApiResult<std::string> ListAll(const Resource& resource, const ListOptions& options,
                                 const ItemSink& sink, const std::stop_token& stop = {}) const;
  /// As ListAll, from options.continue_token on, and up to `limits`.
  ApiResult<Listed> ListUpTo(const Resource& resource, const ListOptions& options,
                             const ListLimits& limits, const ItemSink& sink,
                             const std::stop_token& stop = {}) const;
  /// Ends when the server ends it (nothing), when `on_event` answers false (nothing), or with an
  /// error.
  ApiResult<void> Watch(const Resource& resource, const WatchOptions& options,
                        const std::function<bool(const WatchEvent&)>& on_event,
                        std::stop_token stop) const;
  /// GET of a path outside of the resources: /version, /readyz, discovery.
  ApiResult<std::string> Raw(std::string_view path, std::stop_token stop = {}) const;

 private:
  ApiResult<HttpResponse> Send(HttpRequest request, std::string_view verb,
                               std::string_view resource, std::stop_token stop) const;
  [[nodiscard]] ApiError WithoutToken(ApiError error) const;
  ApiResult<nlohmann::json> SendObject(const HttpRequest& request, std::string_view verb,
                                       std::string_view resource, std::stop_token stop) const;
  std::shared_ptr<HttpTransport> transport_;
  const Clock& clock_;
  Observer observer_;
  const std::chrono::milliseconds deadline_;
  std::shared_ptr<const Identity> identity_;
};

}  // namespace certpair::kube
