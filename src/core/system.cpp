#include "core/system.hpp"

#include <algorithm>

namespace certpair::core {

const Condition* SystemStatus::Find(std::string_view type) const {
  const auto found = std::ranges::find(conditions, type, &Condition::type);
  return found == conditions.end() ? nullptr : &*found;
}

std::string_view ToString(SystemType type) {
  switch (type) {
    case SystemType::Source:
      return "Source";
    case SystemType::Target:
      return "Target";
    case SystemType::Proxy:
      return "Proxy";
  }
  return "";
}

std::string_view ToString(PeerMatching matching) {
  return matching == PeerMatching::Fingerprint ? "Fingerprint" : "SubjectAndIssuer";
}

std::string_view ToString(ConditionStatus status) {
  switch (status) {
    case ConditionStatus::True:
      return "True";
    case ConditionStatus::False:
      return "False";
    case ConditionStatus::Unknown:
      return "Unknown";
  }
  return "";
}

}  // namespace certpair::core
