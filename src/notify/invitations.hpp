// Systems that found no room for their mails, and the order in which they are called back. Pure.
// Private to src/notify, but for the queue.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace certpair::notify {

/// Namespaces are called in turn, one system of each at a time. Bounded: a system that finds no
/// place here looks again without a call. Not thread-safe.
class Invitations {
 public:
  /// The system found no room for a first try.
  void TurnAway(const std::string& space, const std::string& key);
  /// A mail of the system that waited for another try lost its place.
  void Evict(const std::string& space, const std::string& key);
  /// A system that was called has come.
  void Arrive(const std::string& space, const std::string& key);
  void Forget(const std::string& space, const std::string& key);
  /// A system that was called and has not come may be gone.
  void StopExpecting();
  void Clear();

  /// Calls as many as there are places for, less those that were called and have not come.
  void InviteTurnedAway(std::size_t places,
                        const std::function<std::size_t(const std::string& space)>& room_of);
  void InviteEvicted(std::size_t places);
  /// The systems called since the last time.
  [[nodiscard]] std::vector<std::string> Take();

 private:
  struct Crowd {
    std::map<std::string, std::set<std::string>> by_space;  // keys; none is empty
    std::size_t size = 0;
    std::string last;  // the namespace that was called last
  };
  static void Add(Crowd& crowd, const std::string& space, const std::string& key);
  static void Remove(Crowd& crowd, const std::string& space, const std::string& key);
  bool InviteOne(Crowd& crowd, const std::function<std::size_t(const std::string&)>& room_of);

  Crowd turned_away_;
  Crowd evicted_;
  Crowd expected_;
  std::vector<std::string> invited_;
};

}  // namespace certpair::notify
