// Events that wait to be written: the pure part of the recorder's queue. Private to src/kube.
#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "kube/event_aggregation.hpp"

namespace certpair::kube {

/// At most `most` notes, those of one namespace in the order in which they came, and the namespaces
/// in turn: however many objects of a namespace have something to tell, another's note waits for
/// one of each. In a full queue the newest note of the namespace that has most is dropped, so that
/// one namespace alone may fill it and takes no other's room. Calls are O(1), but Push into a full
/// queue is O(namespaces). Not thread-safe.
class EventQueue {
 public:
  explicit EventQueue(std::size_t most) : most_(most) {}

  /// Whether nothing was dropped for it: neither this note nor another one.
  bool Push(EventNote note);
  [[nodiscard]] std::optional<EventNote> Pop();
  [[nodiscard]] bool Empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t Size() const { return size_; }

 private:
  struct Waiting {
    std::string namespace_;
    std::deque<EventNote> notes;  // never empty
  };
  using Turns = std::list<Waiting>;

  std::size_t most_;
  std::size_t size_ = 0;
  Turns turns_;  // the next one first
  std::unordered_map<std::string, Turns::iterator> by_namespace_;
};

}  // namespace certpair::kube
