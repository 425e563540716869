// Which mails find a place in the queue, and which systems are called back for one. Pure.
// Private to src/notify, but for the queue.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "notify/invitations.hpp"

namespace certpair::notify {

/// Shares the places among namespaces. A namespace that holds three times what is free gets no
/// more, so another always finds a place at once. A system that finds none is called back. Bounded;
/// not thread-safe.
class MailAdmission {
 public:
  /// What takes places now.
  struct Usage {
    std::size_t all = 0;
    std::function<std::size_t(const std::string& space)> of;  ///< one namespace
    std::size_t delayed = 0;  ///< mails that wait for another try; they have places of their own
  };
  MailAdmission(std::size_t capacity, std::size_t most_delayed)
      : capacity_(capacity), most_delayed_(most_delayed) {}

  /// How many mails this system may post now. It is called back where there is no room.
  std::size_t Room(const std::string& key, const Usage& usage);
  [[nodiscard]] bool HasTooManyDelayed(std::size_t delayed) const {
    return delayed > most_delayed_;
  }
  /// A mail of this system lost its place among those that are delayed.
  void Evict(const std::string& key);
  void Forget(const std::string& key);
  /// A system that was called and has not come by now may be gone.
  void StopExpecting() { invitations_.StopExpecting(); }
  void Clear() { invitations_.Clear(); }
  /// Places came free. Not each is worth a call: a pass for one mail at a time costs more than the
  /// mail.
  void Invite(const Usage& usage);
  /// The systems to call since the last time: at most as many as there is room for.
  [[nodiscard]] std::vector<std::string> TakeInvited() { return invitations_.Take(); }

 private:
  [[nodiscard]] std::size_t FreePlaces(const Usage& usage) const;
  [[nodiscard]] std::size_t RoomOf(const std::string& space, const Usage& usage) const;

  const std::size_t capacity_;
  const std::size_t most_delayed_;
  Invitations invitations_;
};

}  // namespace certpair::notify
