#include "leadership.hpp"

#include <thread>

#include "base/guarded.hpp"

namespace certpair::controller {
namespace {

// The elector's thread tells; the thread that works listens.
struct Terms {
  bool leads = false;
  std::stop_source ends;  // of the present term
};

}  // namespace

void WorkWhileLeading(const kube::Client& client, const Clock& clock,
                      const kube::LeaderOptions& options,
                      const std::function<void(const kube::LeaderElector&)>& announce,
                      const std::function<void(std::stop_token)>& work,
                      const std::stop_token& stop) {
  Guarded<Terms> terms;
  kube::LeaderElector elector{client, clock, options, [&](bool leads) {
                                auto now = terms.Lock();
                                now->leads = leads;
                                if (leads)
                                  now->ends = std::stop_source{};
                                else
                                  now->ends.request_stop();
                                terms.NotifyAll();
                              }};
  announce(elector);
  std::jthread standing{[&elector](const std::stop_token& over) { elector.Run(over); }};
  while (!stop.stop_requested()) {
    std::stop_source ends;
    {
      auto now = terms.Lock();
      if (!now.Wait(stop, [](const Terms& t) { return t.leads; })) break;
      ends = now->ends;
    }
    const std::stop_callback leave{stop, [&ends] { ends.request_stop(); }};
    work(ends.get_token());  // NOLINT(clang-analyzer-cplusplus.Move): it was copied
  }
}

}  // namespace certpair::controller
