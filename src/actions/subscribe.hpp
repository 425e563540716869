// Subscriptions to mails. Each address is an entry of its own, owned by a field manager of its own
// through server-side apply: two people at once never undo each other.
#pragma once

#include <string>

#include "actions/reading.hpp"

namespace certpair::actions {

/// Whose subscription: the user's, as the API server knows the user, or an address. Both: the user,
/// with this address.
struct Whom {
  bool me = false;
  std::string email;
};

struct Subscribed {
  SystemView system;  ///< as it was before
  core::Subscriber subscriber;
  bool already = false;
};
/// `display_name` empty: the one that is there, else the user's name. NotAnAddress, NotMailable,
/// LinkInDisplayName, UserHasNoAddress, EntryOfAnother.
[[nodiscard]] OrRefusal<Subscribed> Subscribe(const Session& session, const std::string& name,
                                              const Whom& whom, const std::string& display_name,
                                              DryRun dry_run);

struct Unsubscribed {
  SystemView system;  ///< as it was before
  std::string email;
  bool was_subscribed = false;
};
/// ListKeepsChanging, UserHasNoAddress.
[[nodiscard]] OrRefusal<Unsubscribed> Unsubscribe(const Session& session, const std::string& name,
                                                  const Whom& whom, DryRun dry_run);

}  // namespace certpair::actions
