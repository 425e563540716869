#include "kube/event_queue.hpp"

#include <algorithm>
#include <utility>

namespace certpair::kube {

bool EventQueue::Push(EventNote note) {
  const std::string namespace_ = note.object.namespace_;
  const auto own = by_namespace_.find(namespace_);
  const bool is_full = size_ >= most_;
  if (is_full) {
    const auto largest = std::ranges::max_element(
        turns_, {}, [](const Waiting& waiting) { return waiting.notes.size(); });
    const std::size_t mine = own == by_namespace_.end() ? 0 : own->second->notes.size();
    if (largest == turns_.end() || mine >= largest->notes.size() || largest->notes.size() < 2)
      return false;
    largest->notes.pop_back();
    --size_;
  }
  ++size_;
  if (own != by_namespace_.end()) {
    own->second->notes.push_back(std::move(note));
  } else {
    turns_.push_back({namespace_, {}});
    turns_.back().notes.push_back(std::move(note));
    by_namespace_.emplace(namespace_, std::prev(turns_.end()));
  }
  return !is_full;
}

std::optional<EventNote> EventQueue::Pop() {
  if (Empty()) return std::nullopt;
  --size_;
  Waiting& next = turns_.front();
  EventNote note = std::move(next.notes.front());
  next.notes.pop_front();
  if (next.notes.empty()) {
    by_namespace_.erase(next.namespace_);
    turns_.pop_front();
  } else {
    turns_.splice(turns_.end(), turns_, turns_.begin());
  }
  return note;
}

}  // namespace certpair::kube
