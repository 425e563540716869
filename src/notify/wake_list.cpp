#include "notify/wake_list.hpp"

namespace certpair::notify {
namespace {

constexpr std::chrono::seconds kLongestHold{1};

}  // namespace

// A wake that is held since the last mail goes on being held: its second does not begin anew.
void WakeList::Hold(const std::string& key, Steady now) {
  const bool held_before = held_ == key;
  held_.clear();
  if (!keys_.contains(key)) return;
  if (!held_before) held_since_ = now;
  if (now - held_since_ < kLongestHold) held_ = key;
}

std::vector<std::string> WakeList::Take() {
  std::vector<std::string> wakes;
  std::erase_if(keys_, [&](const std::string& key) {
    if (key == held_) return false;
    wakes.push_back(key);
    return true;
  });
  return wakes;
}

}  // namespace certpair::notify
