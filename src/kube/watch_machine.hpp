// The list/watch machine of a reflector, pure: the state says what to do next, and what came of it
// makes the next state. After kube-rs' `watcher`. Private to src/kube.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/backoff.hpp"
#include "kube/client.hpp"

namespace certpair::kube {

/// A value; not thread-safe.
///
///     Empty ──page──▶ ListPage ──last page──▶ Listed ──opens──▶ Watching
///       ▲                │ 410                   ▲   stream ends   │
///       └────────────────┴── 410 ────────────────┼─────────────────┘
///                      Failed (any other error) ─┘ after a delay, to Empty or to Listed
struct WatchMachine {
  struct Empty {};  ///< nothing is known: ask for a list's first page
  struct ListPage {
    std::string continue_token;  ///< ask for the page that this names
  };
  struct Listed {
    std::string resource_version;  ///< the copy is true up to here: open a watch from here
  };
  struct Watching {
    std::string resource_version;  ///< grows with each event and bookmark
    bool delivered = false;        ///< it has brought anything at all
  };
  struct Failed {
    std::chrono::milliseconds delay{};  ///< wait for as long
    std::string resource_version;       ///< then watch from here; empty: list anew
  };
  using State = std::variant<Empty, ListPage, Listed, Watching, Failed>;

  State state = Empty{};
  Backoff backoff;
  /// History was lost (410) and no watch has brought anything since: a list that succeeds is then
  /// no sign of health, or list and refused watch would chase each other without a pause.
  bool history_lost = false;
  int page_size = 500;  ///< the limit of a page where none was too large
  int limit = 500;      ///< of the next page: halved where one is too large, then grows again
  int pages_in_limit = 0;
};

// What came of what the state asked for.
struct PageCame {
  std::string resource_version;
  std::string continue_token;  ///< empty: it was the last page
};
struct PageTooLarge {};  ///< or it took too long: less may do
struct WatchOpens {};
struct EventCame {
  WatchEventType type = WatchEventType::Bookmark;  ///< never Error: that is a RequestFailed
  std::string resource_version;
};
struct WatchEnded {
  std::chrono::milliseconds lived{};  ///< the server ended it cleanly after this long
};
struct RequestFailed {
  ApiErrorKind kind = ApiErrorKind::Transport;
  std::optional<std::chrono::milliseconds> retry_after;
};
struct WaitOver {};
using WatchInput = std::variant<PageCame, PageTooLarge, WatchOpens, EventCame, WatchEnded,
                                RequestFailed, WaitOver>;

/// What the sink is to be told of the input's object or list.
enum class SinkCall { None, FinishList, AbandonList, Put, Remove };

/// A clean end sooner than this, with nothing brought, counts as a failure.
inline constexpr std::chrono::seconds kSoundWatch{10};
/// Pages that must fit before a larger one is tried: three that fit for each that is in vain.
inline constexpr int kPagesBeforeGrowth = 3;
/// A watch that has failed so often without bringing anything is given up for a list, which shows
/// what the watch did not. Where its answer was not Kubernetes', or silence, the second time.
inline constexpr int kFailuresBeforeList = 8;
inline constexpr int kBadAnswersBeforeList = 2;
/// No server's Retry-After holds us for longer.
inline constexpr std::chrono::minutes kLongestRetryAfter{5};

/// Total: an input that does not fit the state changes nothing. `random` are 64 random bits, for
/// the jitter of a delay.
SinkCall Step(WatchMachine& machine, WatchInput input, std::uint64_t random);

/// How long the server is asked to keep a watch open: 5 to 10 minutes, so that the watches of many
/// clients do not end together.
[[nodiscard]] std::chrono::seconds WatchTimeout(std::uint64_t random);

}  // namespace certpair::kube
