// A notice as a MIME message, by GMime. Thread-safe.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "core/notice.hpp"
#include "notify/address.hpp"

namespace certpair::notify {

/// What an installation puts on each of its mails.
struct Letterhead {
  Sender from;
  std::string cluster_name;  ///< empty: not said
};

/// A mail ready to be sent, with its envelope (RFC 5321 §2.3.1).
struct Letter {
  std::string from;  ///< an address without <>, in ASCII
  std::string to;
  bool needs_utf8 = false;  ///< goes only through servers that say SMTPUTF8 (RFC 6531)
  std::string bytes;        ///< RFC 5322, lines end in CRLF
};

/// The mail of `notice`, dated `now`. Its Message-ID is made of the notice's id alone, so that a
/// repeat after a crash is recognisable (R11). Invalid: the recipient's address cannot be written;
/// the message says why, and does not repeat it.
[[nodiscard]] Result<Letter> Compose(const core::Notice& notice, const Letterhead& letterhead,
                                     sys_seconds now);

}  // namespace certpair::notify
