// The children of one metric family by their label values, so that a hot path neither builds a map
// of labels nor allocates. Private to src/metrics.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <prometheus/family.h>
#include <prometheus/labels.h>

#include "base/guarded.hpp"

namespace certpair::metrics {

/// Series of a T (Counter, Gauge, Histogram) by N labels. Thread-safe. Beyond `limit` combinations
/// the rest share the one whose labels are all `other`.
template <class T, std::size_t N>
class Children {
 public:
  using Names = std::array<std::string_view, N>;
  using Values = std::array<std::string_view, N>;

  Children(prometheus::Family<T>& family, Names names, std::size_t limit)
      : family_(family), names_(names), limit_(limit) {}

  /// The child with these label values; `arguments` make it if it is new.
  template <class... Arguments>
  T& At(const Values& values, const Arguments&... arguments) {
    auto children = children_.Lock();
    if (const auto found = children->find(values); found != children->end()) return *found->second;
    if (children->size() < limit_) return Insert(*children, values, arguments...);
    Values other;
    other.fill("other");
    if (const auto found = children->find(other); found != children->end()) return *found->second;
    return Insert(*children, other, arguments...);
  }

 private:
  struct Before {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      for (std::size_t i = 0; i < N; ++i) {
        const std::string_view left = a[i];
        const std::string_view right = b[i];
        if (left != right) return left < right;
      }
      return false;
    }
  };
  using ByValues = std::map<std::array<std::string, N>, T*, Before>;

  template <class... Arguments>
  T& Insert(ByValues& children, const Values& values, const Arguments&... arguments) {
    prometheus::Labels labels;
    std::array<std::string, N> key;
    for (std::size_t i = 0; i < N; ++i) {
      key[i] = values[i];
      labels.emplace(names_[i], values[i]);
    }
    T& child = family_.Add(labels, arguments...);
    children.emplace(std::move(key), &child);
    return child;
  }

  prometheus::Family<T>& family_;
  Names names_;
  std::size_t limit_;
  Guarded<ByValues> children_;
};

}  // namespace certpair::metrics
