// How kubectl reads the YAML of a kubeconfig: YAML 1.1 made into JSON (sigs.k8s.io/yaml), whose
// strings then fill Go's fields. Private to src/kube. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>
#include <yaml-cpp/yaml.h>

namespace certpair::kube {

/// The text of a scalar; what `!!binary` stands for is the text that its base64 holds. Nothing:
/// that is not base64.
[[nodiscard]] std::optional<std::string> YamlText(const YAML::Node& scalar);

/// YAML 1.1 has more words for it than true and false: yes and no, on and off. Nothing: neither.
[[nodiscard]] std::optional<bool> YamlBool(const YAML::Node& scalar);

/// What a map says once its merge keys (`<<`) are resolved, in the order in which kubectl reads it:
/// of two members with the same key the later one counts. A merge stands where its key stands, so
/// it yields to members below it alone; of a list of maps the first counts most.
/// Nothing: a merge names something else than maps, merges nest deeper than 64 or hold themselves,
/// more than 10,000 maps and members are read (aliases count each time), or it is not a map.
using YamlMembers = std::vector<std::pair<YAML::Node, YAML::Node>>;
[[nodiscard]] std::optional<YamlMembers> YamlMembersOf(const YAML::Node& map);

/// All of a node. Nothing: it has more than 10,000 nodes (aliases count each time), is nested
/// deeper than 64, has a key that is not a scalar, or a merge as YamlMembersOf refuses it.
[[nodiscard]] std::optional<nlohmann::json> YamlJson(const YAML::Node& node);

}  // namespace certpair::kube
