#include "kube/store.hpp"

#include <nlohmann/json.hpp>

namespace certpair::kube {
namespace {

const std::string* TextAt(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

}  // namespace

std::string KeyOf(const nlohmann::json& object) {
  const auto metadata = object.find("metadata");
  if (metadata == object.end()) return {};
  const std::string* name = TextAt(*metadata, "name");
  if (!name) return {};
  const std::string* space = TextAt(*metadata, "namespace");
  if (!space || space->empty()) return *name;
  std::string key;
  key.reserve(space->size() + 1 + name->size());
  return key.append(*space).append(1, '/').append(*name);
}

}  // namespace certpair::kube
