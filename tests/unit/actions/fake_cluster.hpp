// An API server in memory, as far as actions speak to one.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "actions/session.hpp"
#include "support/manual_clock.hpp"
#include "unit/kube/fake_transport.hpp"

namespace certpair::actions {

using nlohmann::json;

inline const std::string kGroupPath = "/apis/certpair.dev/v1/namespaces/idm/";
inline const std::string kLeasePath =
    "/apis/coordination.k8s.io/v1/namespaces/certpair-system/leases/certpair-controller";
inline const std::string kFirst =
    "AB:CD:EF:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:"
    "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F";
inline const std::string kSecond =
    "AB:99:EF:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:"
    "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F";

class ClusterTest : public testing::Test {
 protected:
  ClusterTest() {
    transport_->send = [this](const kube::HttpRequest& request, const std::stop_token&) {
      return Answer(request);
    };
  }

  /// An active certificate, and an inactive one where `second` is given.
  static json System(const std::string& name, bool second = false) {
    json system{{"metadata",
                 {{"name", name}, {"namespace", "idm"}, {"uid", "uid-" + name}, {"generation", 1}}},
                {"spec",
                 {{"type", "Target"},
                  {"displayName", "The " + name},
                  {"authorityRef", {{"name", "ca"}}},
                  {"certificate", {{"subject", {{"commonName", name}}}}}}},
                {"status",
                 {{"observedGeneration", 1},
                  {"certificates", json::array({Certificate("Active", kFirst)})},
                  {"conditions", json::array({Condition("Ready", "True", "Valid")})}}}};
    if (second) system["status"]["certificates"].push_back(Certificate("Inactive", kSecond));
    return system;
  }
  static json Certificate(const std::string& state, const std::string& fingerprint) {
    return {{"state", state},
            {"fingerprint", fingerprint},
            {"subject", "CN=x"},
            {"notBefore", "2026-01-01T00:00:00Z"},
            {"notAfter", "2027-01-01T00:00:00Z"},
            {"pem", "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n"}};
  }
  static json Condition(const std::string& type, const std::string& status,
                        const std::string& reason, const std::string& message = "so it is") {
    return {{"type", type},
            {"status", status},
            {"reason", reason},
            {"message", message},
            {"lastTransitionTime", "2026-01-01T00:00:00Z"}};
  }
  void Put(const json& system) {
    objects_[kGroupPath + "provisioningsystems/" +
             system.at("metadata").at("name").get<std::string>()] = system;
  }
  json& Stored(const std::string& name) {
    return objects_[kGroupPath + "provisioningsystems/" + name];
  }
  void PutLease(const std::string& renewed, const std::string& holder = "pod-1") {
    objects_[kLeasePath] = {
        {"metadata", {{"name", "certpair-controller"}}},
        {"spec",
         {{"holderIdentity", holder}, {"leaseDurationSeconds", 15}, {"renewTime", renewed}}}};
  }
  /// The operator of this world: what it does to an operation when the plugin looks at it.
  static void Finish(json& operation, const std::string& type, const std::string& reason,
                     const std::string& fingerprint = kSecond) {
    operation["status"] = {{"conditions", json::array({Condition(type, "True", reason)})},
                           {"fingerprint", fingerprint}};
  }

  Session TheActing() {
    return {.client = client_,
            .clock = clock_,
            .namespace_ = namespace_,
            .operator_namespace = "certpair-system",
            .field_manager = "certpair-test",
            .stop = stop_.get_token(),
            .pause = [this](std::chrono::milliseconds duration) { return Pause(duration); },
            .on_progress = [this](const Progress& told) { progress_.push_back(told); }};
  }
  /// Time passes; false where the test asked for a stop.
  bool Pause(std::chrono::milliseconds duration) {
    clock_.Advance(duration);
    if (on_pause) on_pause();
    return !stop_.stop_requested();
  }
  [[nodiscard]] std::vector<std::string> Methods(const std::string& method) const {
    std::vector<std::string> paths;
    for (const auto& request : transport_->Requests())
      if (request.method == method) paths.push_back(request.path);
    return paths;
  }
  [[nodiscard]] bool WroteNothing() const {
    for (const char* method : {"POST", "PUT", "PATCH", "DELETE"})
      if (!Methods(method).empty()) return false;
    return true;
  }

  // 2026-06-01.
  test::ManualClock clock_{std::chrono::sys_days{std::chrono::year{2026} / 6 / 1}};
  std::string namespace_ = "idm";
  std::map<std::string, json> objects_;
  std::function<std::optional<kube::HttpResponse>(const kube::HttpRequest&)> before;
  std::function<void(json& operation)> on_operation;  // each time one is read
  std::function<void()> on_pause;
  std::vector<Progress> progress_;
  std::stop_source stop_;
  std::shared_ptr<kube::FakeTransport> transport_ = std::make_shared<kube::FakeTransport>();
  kube::Client client_{transport_, clock_};

 private:
  static kube::HttpResponse NotFound(const std::string& name) {
    return kube::Answer(404, {{"kind", "Status"},
                              {"reason", "NotFound"},
                              {"code", 404},
                              {"message", name + " not found"},
                              {"details", {{"name", name}}}});
  }
  kube::HttpResponse Answer(const kube::HttpRequest& request) {
    if (before)
      if (auto answer = before(request)) return *answer;
    const std::string path = request.path.substr(0, request.path.find('?'));
    const bool dry = request.path.find("dryRun=All") != std::string::npos;
    if (request.method == "POST") return Create(path, json::parse(request.body), dry);
    const auto found = objects_.find(path);
    if (request.method == "PATCH" && found != objects_.end()) {
      json patched = found->second;
      patched.merge_patch(json::parse(request.body));
      if (!dry) found->second = patched;
      return kube::Answer(200, patched);
    }
    if (found != objects_.end()) {
      if (on_operation && path.find("certificateoperations") != std::string::npos)
        on_operation(found->second);
      return kube::Answer(200, found->second);
    }
    if (IsCollection(path)) return AnswerList(path);
    return NotFound(path.substr(path.rfind('/') + 1));
  }
  static bool IsCollection(const std::string& path) {
    const std::string last = path.substr(path.rfind('/') + 1);
    return last == "provisioningsystems" || last == "certificateoperations" || last == "events" ||
           last == "certificateauthorities";
  }
  kube::HttpResponse AnswerList(const std::string& path) {
    json items = json::array();
    for (const auto& [place, object] : objects_)
      if (place.starts_with(path + "/")) items.push_back(object);
    return kube::Answer(
        200, {{"kind", "List"}, {"metadata", {{"resourceVersion", "7"}}}, {"items", items}});
  }
  kube::HttpResponse Create(const std::string& path, json object, bool dry) {
    const std::string name = object["metadata"].value("generateName", "x") + "1";
    object["metadata"]["name"] = name;
    object["metadata"]["creationTimestamp"] = "2026-06-01T00:00:00Z";
    if (!dry) objects_[path + "/" + name] = object;
    return kube::Answer(201, object);
  }
};

}  // namespace certpair::actions
