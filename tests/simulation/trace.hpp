// What happens in a life, line by line on stderr, where CERTPAIR_SIM_TRACE is set: to find out why
// a seed fails.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "base/time_format.hpp"

namespace certpair::sim {

[[nodiscard]] inline bool IsTracing() {
  static const bool tracing = std::getenv("CERTPAIR_SIM_TRACE") != nullptr;
  return tracing;
}

/// Nothing is formatted where nobody reads it.
template <class... Values>
void Trace(sys_seconds now, const std::string& key, fmt::format_string<Values...> what,
           Values&&... values) {
  if (!IsTracing()) return;
  std::fprintf(stderr, "%s %s %s\n", FormatTime(now).c_str(), key.c_str(),
               fmt::format(what, std::forward<Values>(values)...).c_str());
}

}  // namespace certpair::sim
