#include "kube/leader_elector.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "unit/kube/fake_transport.hpp"

namespace certpair::kube {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

// One Lease on a server that checks versions, and may hang.
class LeaseServer {
 public:
  LeaseServer() {
    transport->send = [this](const HttpRequest& request, const std::stop_token& stop) {
      return Serve(request, stop);
    };
  }
  std::shared_ptr<FakeTransport> transport = std::make_shared<FakeTransport>();
  std::atomic<bool> hangs{false};

  std::optional<json> Lease() {
    const std::lock_guard lock{mutex_};
    return lease_;
  }
  std::string Holder() {
    const auto lease = Lease();
    return lease ? lease->at("spec").at("holderIdentity").get<std::string>() : "no lease";
  }
  void Change(const std::function<void(std::optional<json>&)>& change) {
    const std::lock_guard lock{mutex_};
    change(lease_);
    if (lease_) (*lease_)["metadata"]["resourceVersion"] = std::to_string(++version_);
  }

 private:
  ApiResult<HttpResponse> Serve(const HttpRequest& request, const std::stop_token& stop) {
    if (hangs) {
      WaitForStop(stop);
      return std::unexpected(Cancelled());
    }
    const std::lock_guard lock{mutex_};
    if (request.method == "GET") return lease_ ? Answer(200, *lease_) : NotFound();
    json sent = json::parse(request.body);
    if (request.method == "POST") {
      if (lease_) return StatusAnswer(409, "AlreadyExists");
    } else {
      if (!lease_) return NotFound();
      if (sent["metadata"]["resourceVersion"] != (*lease_)["metadata"]["resourceVersion"])
        return StatusAnswer(409, "Conflict");
    }
    sent["metadata"]["resourceVersion"] = std::to_string(++version_);
    lease_ = sent;
    return Answer(200, sent);
  }
  static HttpResponse NotFound() {
    return Answer(404, {{"kind", "Status"},
                        {"code", 404},
                        {"reason", "NotFound"},
                        {"details", {{"name", "lead"}, {"kind", "leases"}}}});
  }

  std::mutex mutex_;
  std::optional<json> lease_;
  int version_ = 0;
};

// An elector on its thread, and what its listener was told.
class Replica {
 public:
  Replica(LeaseServer& server, const std::string& identity)
      : client_(server.transport, clock_),
        elector_(client_, clock_,
                 {"operators", "lead", identity, {seconds{3}, seconds{2}, milliseconds{100}}},
                 [this, &server](bool leads) { Note(leads, server.Holder()); }),
        thread_([this](const std::stop_token& stop) { elector_.Run(stop); }) {}
  void Stop() {
    thread_.request_stop();
    thread_.join();
  }
  bool IsLeader() const { return elector_.IsLeader(); }
  std::uint64_t Term() const { return elector_.Term(); }
  /// Blocks until the listener was told so often, at most half a minute.
  bool AwaitNews(std::size_t count) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, seconds{30}, [&] { return told_.size() >= count; });
  }
  std::vector<bool> Told() {
    const std::lock_guard lock{mutex_};
    return told_;
  }
  std::string HolderWhenLastTold() {
    const std::lock_guard lock{mutex_};
    return holder_;
  }

 private:
  void Note(bool leads, const std::string& holder) {
    const std::lock_guard lock{mutex_};
    told_.push_back(leads);
    holder_ = holder;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<bool> told_;
  std::string holder_;
  SystemClock clock_;
  Client client_;
  LeaderElector elector_;
  std::jthread thread_;
};

class LeaderElectorTest : public testing::Test {
 protected:
  void SetUp() override { testing::internal::CaptureStderr(); }
  void TearDown() override { log_ = testing::internal::GetCapturedStderr(); }
  LeaseServer server_;
  std::string log_;
};

TEST_F(LeaderElectorTest, The_Lease_is_freed_only_after_the_end_was_announced) {
  Replica replica{server_, "a"};
  ASSERT_TRUE(replica.AwaitNews(1));
  EXPECT_TRUE(replica.IsLeader()) << "who is told so finds it so";
  EXPECT_EQ(server_.Holder(), "a");
  replica.Stop();
  EXPECT_FALSE(replica.IsLeader());
  EXPECT_EQ(replica.Told(), (std::vector<bool>{true, false}));
  EXPECT_EQ(replica.HolderWhenLastTold(), "a");
  EXPECT_EQ(server_.Holder(), "");
  EXPECT_EQ(server_.Lease()->at("spec").at("leaseDurationSeconds"), 1);
}

TEST_F(LeaderElectorTest, The_next_leads_as_soon_as_the_Lease_is_free) {
  Replica first{server_, "a"};
  ASSERT_TRUE(first.AwaitNews(1));
  Replica second{server_, "b"};
  first.Stop();
  ASSERT_TRUE(second.AwaitNews(1));
  EXPECT_EQ(server_.Holder(), "b");
  EXPECT_EQ(server_.Lease()->at("spec").at("leaseTransitions"), 1);
}

TEST_F(LeaderElectorTest, A_request_that_hangs_does_not_lengthen_the_leading) {
  Replica replica{server_, "a"};
  ASSERT_TRUE(replica.AwaitNews(1));
  EXPECT_EQ(replica.Term(), 1U);
  server_.hangs = true;
  ASSERT_TRUE(replica.AwaitNews(2));
  EXPECT_FALSE(replica.IsLeader());
  EXPECT_EQ(replica.Term(), 0U);
  server_.hangs = false;
  ASSERT_TRUE(replica.AwaitNews(3)) << "no other took it: it may lead again";
  EXPECT_EQ(replica.Term(), 2U) << "what the first term began must not go on";
  EXPECT_EQ(replica.Told(), (std::vector<bool>{true, false, true}));
}

TEST_F(LeaderElectorTest, A_leader_whose_Lease_is_stolen_stops_until_it_expires) {
  Replica replica{server_, "a"};
  ASSERT_TRUE(replica.AwaitNews(1));
  server_.Change([](auto& lease) { (*lease)["spec"]["holderIdentity"] = "thief"; });
  ASSERT_TRUE(replica.AwaitNews(2));
  EXPECT_EQ(server_.Holder(), "thief");
  ASSERT_TRUE(replica.AwaitNews(3));
  EXPECT_EQ(server_.Holder(), "a");
}

TEST_F(LeaderElectorTest, A_deleted_Lease_is_created_again_and_others_fields_kept) {
  Replica replica{server_, "a"};
  ASSERT_TRUE(replica.AwaitNews(1));
  server_.Change([](auto& lease) { lease.reset(); });
  const auto give_up = std::chrono::steady_clock::now() + seconds{30};
  while (!server_.Lease() && std::chrono::steady_clock::now() < give_up)
    std::this_thread::sleep_for(milliseconds{5});
  ASSERT_TRUE(server_.Lease());
  server_.Change([](auto& lease) { (*lease)["metadata"]["labels"]["team"] = "idm"; });
  replica.Stop();
  EXPECT_EQ(server_.Lease()->at("metadata").at("labels").at("team"), "idm");
  EXPECT_EQ(server_.Holder(), "") << "the edit cost a conflict, and the Lease was released";
}

TEST_F(LeaderElectorTest, A_stop_ends_it_soon_even_if_the_server_hangs) {
  server_.hangs = true;
  const auto begin = std::chrono::steady_clock::now();
  Replica replica{server_, "a"};
  replica.Stop();
  EXPECT_TRUE(replica.Told().empty());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds{30});
}

TEST(LeaderIdentity, No_two_processes_have_the_same) {
  EXPECT_TRUE(MakeIdentity("pod-1").starts_with("pod-1_"));
  EXPECT_NE(MakeIdentity("pod-1"), MakeIdentity("pod-1"));
}

}  // namespace
}  // namespace certpair::kube
