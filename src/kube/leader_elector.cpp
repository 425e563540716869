#include "kube/leader_elector.hpp"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/guarded.hpp"
#include "base/log.hpp"
#include "base/random_bits.hpp"

namespace certpair::kube {
namespace {

constexpr std::chrono::milliseconds kReleaseDeadline{1000};  // for up to three requests together
constexpr std::chrono::minutes kSaidAgainAfter{1};

const Resource& Leases() {
  static const Resource leases{"coordination.k8s.io", "v1", "leases", true};
  return leases;
}

}  // namespace

struct LeaderElector::Shared {
  struct State {
    SteadyTime leads_until = SteadyTime::min();
    std::uint64_t term = 0;             // grows each time that leading starts
    std::optional<std::uint64_t> told;  // the term that listeners believe in
    std::optional<SteadyTime> cut_at;   // when the request in flight has taken too long
    std::stop_source request{std::nostopstate};
    std::uint64_t news = 0;  // grows with each change
  };
  Guarded<State> state;
};

// One Run: the election on the caller's thread, and a second thread that minds the time while the
// first one may hang in a request.
class LeaderElector::Loop {
 public:
  explicit Loop(LeaderElector& elector)
      : elector_(elector),
        options_(elector.options_),
        clock_(elector.clock_),
        state_(elector.shared_->state),
        election_(options_.identity, options_.timings) {}

  void Run(const std::stop_token& stop) {
    const std::jthread minder{[this](const std::stop_token& end) { Mind(end); }};
    while (!stop.stop_requested()) {
      std::visit([&](const auto& action) { Do(action, stop); },
                 election_.Next(clock_.Steady(), clock_.Now()));
      Publish();
    }
    Resign();
  }

 private:
  using State = Shared::State;

  void Do(const LeaseElection::Rest& rest, const std::stop_token& stop) {
    const auto wait = rest.until - clock_.Steady();
    state_.Lock().WaitUntil(stop, std::chrono::steady_clock::now() + wait,
                            [](const State&) { return false; });
  }

  void Do(const LeaseElection::Read&, const std::stop_token& stop) {
    auto answer = Ask(stop, AttemptDeadline(), [this](const std::stop_token& cut) {
      return elector_.client_.Get(Leases(), options_.namespace_, options_.name, cut);
    });
    if (answer) {
      election_.ReadCame(DecodeLease(*answer), VersionOf(*answer), clock_.Steady());
      lease_ = std::move(*answer);
      SayHolder();
    } else if (answer.error().kind == ApiErrorKind::NotFound) {
      election_.ReadCame(std::nullopt, {}, clock_.Steady());
      lease_ = nullptr;
    } else if (!stop.stop_requested()) {
      Fail(answer.error());
    }
  }

  void Do(const LeaseWrite& write, const std::stop_token& stop) {
    auto answer = Send(write, stop, AttemptDeadline());
    if (answer) {
      election_.WriteCame(VersionOf(*answer), clock_.Steady());
      lease_ = std::move(*answer);
    } else if (stop.stop_requested()) {
      unsettled_ = true;
    } else {
      Fail(answer.error());
    }
  }

  ApiResult<nlohmann::json> Send(const LeaseWrite& write, const std::stop_token& stop,
                                 std::chrono::milliseconds deadline) {
    const bool create = write.resource_version.empty();
    nlohmann::json lease =
        create ? nlohmann::json{{"apiVersion", "coordination.k8s.io/v1"},
                                {"kind", "Lease"},
                                {"metadata",
                                 {{"namespace", options_.namespace_}, {"name", options_.name}}}}
               : lease_;
    if (!create) lease["metadata"]["resourceVersion"] = write.resource_version;
    EncodeLease(write.record, lease);
    return Ask(stop, deadline, [&](const std::stop_token& cut) {
      return create ? elector_.client_.Create(Leases(), options_.namespace_, lease, cut)
                    : elector_.client_.Update(Leases(), lease, cut);
    });
  }

  // Sends with a deadline of our own: two attempts must fit into the time in which to renew.
  template <class Request>
  ApiResult<nlohmann::json> Ask(const std::stop_token& stop, std::chrono::milliseconds deadline,
                                const Request& request) {
    std::stop_source source;
    const std::stop_callback chain{stop, [&source] { source.request_stop(); }};
    Tell([&](State& state) {
      state.cut_at = clock_.Steady() + deadline;
      state.request = source;
    });
    auto answer = request(source.get_token());
    if (answer && VersionOf(*answer).empty())
      answer = std::unexpected(ApiError{
          ApiErrorKind::Protocol, 200, {}, "the answer is a Lease without resourceVersion", {}});
    Tell([](State& state) {
      state.cut_at.reset();
      state.request = std::stop_source{std::nostopstate};
    });
    return answer;
  }

  [[nodiscard]] std::chrono::milliseconds AttemptDeadline() const {
    return options_.timings.renew_deadline / 2;
  }

  template <class Change>
  void Tell(const Change& change) {
    {
      auto state = state_.Lock();
      change(*state);
      ++state->news;
    }
    state_.NotifyAll();
  }

  void Publish() {
    const SteadyTime until = election_.LeadsUntil();
    const SteadyTime now = clock_.Steady();
    // First: a listener that hears of the term must find it begun.
    const bool begins = now < until && now >= published_;
    if (begins) ++elector_.term_;
    elector_.leads_until_ = until.time_since_epoch().count();
    published_ = until;
    Tell([&](State& state) {
      if (begins) ++state.term;
      state.leads_until = until;
    });
  }

  // The other thread: ends leading when its time is over, and requests that take too long.
  void Mind(const std::stop_token& end) {
    while (!end.stop_requested()) {
      std::optional<bool> say;
      std::stop_source cut{std::nostopstate};
      {
        auto state = state_.Lock();
        const SteadyTime now = clock_.Steady();
        const bool leads = now < state->leads_until;
        if (state->told && (!leads || *state->told != state->term)) {
          say = false;
        } else if (leads && !state->told) {
          say = true;
          state->told = state->term;
        } else if (state->cut_at && now >= *state->cut_at) {
          cut = std::exchange(state->request, std::stop_source{std::nostopstate});
          state->cut_at.reset();
        } else {
          WaitForNews(state, end, now, leads);
        }
      }
      if (cut.stop_possible()) cut.request_stop();
      if (say) Announce(*say);
      if (say == false) Tell([](State& state) { state.told.reset(); });
    }
  }

  void WaitForNews(Guarded<State>::Locked& state, const std::stop_token& end, SteadyTime now,
                   bool leads) {
    const std::uint64_t known = state->news;
    const auto changed = [known](const State& s) { return s.news != known; };
    SteadyTime next = SteadyTime::max();
    if (leads) next = state->leads_until;
    if (state->cut_at) next = std::min(next, *state->cut_at);
    if (next == SteadyTime::max()) {
      state.Wait(end, changed);
    } else {
      state.WaitUntil(end, std::chrono::steady_clock::now() + (next - now), changed);
    }
  }

  void Announce(bool leads) {
    log::Info(
        leads ? "leading from now on" : "leading no longer",
        {{"lease", options_.namespace_ + "/" + options_.name}, {"identity", options_.identity}});
    if (elector_.changed_) elector_.changed_(leads);
  }

  // No listener may believe that we lead when the Lease is released.
  void Resign() {
    auto write = election_.Release(clock_.Now());
    Publish();
    state_.Lock().Wait({}, [](const State& state) { return !state.told; });
    if (!write && !unsettled_) return;
    const auto freed = Free(write);
    if (!freed)
      log::Warn("the lease was not released: the next leader waits until it expires",
                {{"lease", options_.name}, {"error", freed.error().message}});
  }

  // A write of ours that was on its way at the stop may have come first: then it is looked at
  // again.
  ApiResult<void> Free(std::optional<LeaseWrite> write) {
    const SteadyTime until = clock_.Steady() + kReleaseDeadline;
    const auto left = [&] {
      return std::chrono::duration_cast<std::chrono::milliseconds>(until - clock_.Steady());
    };
    if (write) {
      const auto freed = Send(*write, {}, left());
      if (freed) return {};
      if (freed.error().kind != ApiErrorKind::Conflict) return std::unexpected(freed.error());
    }
    auto there = Ask({}, left(), [this](const std::stop_token& cut) {
      return elector_.client_.Get(Leases(), options_.namespace_, options_.name, cut);
    });
    if (!there) return std::unexpected(there.error());
    election_.ReadCame(DecodeLease(*there), VersionOf(*there), clock_.Steady());
    lease_ = std::move(*there);
    write = election_.Release(clock_.Now());
    if (!write) return {};  // it is not ours
    const auto freed = Send(*write, {}, left());
    if (!freed) return std::unexpected(freed.error());
    return {};
  }

  void Fail(const ApiError& error) {
    const SteadyTime now = clock_.Steady();
    election_.Failed(error.kind, now);
    const bool ordinary =
        error.kind == ApiErrorKind::Conflict || error.kind == ApiErrorKind::AlreadyExists;
    if (ordinary || (said_at_ && now - *said_at_ < kSaidAgainAfter)) return;
    said_at_ = now;
    log::Warn("leader election failed to read or write its lease, trying again",
              {{"lease", options_.name},
               {"kind", std::string{ToString(error.kind)}},
               {"error", error.message}});
  }

  void SayHolder() {
    std::string holder = election_.Holder();
    if (holder == holder_) return;
    holder_ = std::move(holder);
    log::Info("the lease's holder changed",
              {{"lease", options_.name}, {"holder", holder_.empty() ? "none" : holder_}});
  }

  static std::string VersionOf(const nlohmann::json& lease) {
    const auto metadata = lease.find("metadata");
    if (metadata == lease.end()) return {};
    const auto version = metadata->find("resourceVersion");
    return version != metadata->end() && version->is_string() ? version->get<std::string>()
                                                              : std::string{};
  }

  LeaderElector& elector_;
  const LeaderOptions& options_;
  const Clock& clock_;
  Guarded<State>& state_;
  LeaseElection election_;
  nlohmann::json lease_;    // as last read or written: what others wrote into it is kept
  bool unsettled_ = false;  // the stop came while a write was on its way
  SteadyTime published_ = SteadyTime::min();
  std::string holder_;
  std::optional<SteadyTime> said_at_;
};

std::string MakeIdentity(const std::string& host) {
  return fmt::format("{}_{:016x}", host, RandomBits{0}());
}

LeaderElector::LeaderElector(const Client& client, const Clock& clock, LeaderOptions options,
                             Changed changed)
    : client_(client),
      clock_(clock),
      options_(std::move(options)),
      changed_(std::move(changed)),
      leads_until_(SteadyTime::min().time_since_epoch().count()),
      shared_(std::make_unique<Shared>()) {}

LeaderElector::~LeaderElector() = default;

void LeaderElector::Run(const std::stop_token& stop) { Loop{*this}.Run(stop); }

// In this order: a term's number stands before its time does.
std::uint64_t LeaderElector::Term() const { return IsLeader() ? term_.load() : 0; }

bool LeaderElector::IsLeader() const {
  return clock_.Steady() < SteadyTime{SteadyTime::duration{leads_until_}};
}

}  // namespace certpair::kube
