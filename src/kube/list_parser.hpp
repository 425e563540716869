// A list's JSON, an item at a time. Private to kube.
#pragma once

#include <optional>
#include <string_view>

#include "kube/client.hpp"

namespace certpair::kube {

/// Calls `sink` for each object in the top-level `items`, and keeps none: at most one is in memory
/// as a value, without managedFields. Nothing if `body` is not the JSON of a Kubernetes list; items
/// before the fault may have been handed out then. Pure but for `sink`, thread-safe.
[[nodiscard]] std::optional<Page> ParseList(std::string_view body, const ItemSink& sink);

/// The names in a metav1.Table, and its place in the list. Nothing if `body` is not a Table. Pure,
/// thread-safe.
[[nodiscard]] std::optional<NamesPage> ParseTable(std::string_view body);

/// The continue token of a list, from the end of its text alone, where the API server puts it for
/// custom resources: to ask for the next page before this one is read. Empty: none was found there,
/// which does not mean that none exists.
[[nodiscard]] std::string GuessContinueToken(std::string_view body);

}  // namespace certpair::kube
