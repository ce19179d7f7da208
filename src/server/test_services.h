// What tests of handlers are made of: a real store and engine in a temporary project; queue,
// streams and callers that tests set. Header only, so that it is in test programs and nowhere else.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/file.h"
#include "engine/runtime.h"
#include "server/api/api.h"
#include "server/disk/disk_watch.h"
#include "server/metrics/server_metrics.h"
#include "server/queue/supervisor.h"
#include "server/route.h"
#include "server/services.h"
#include "server/stream/hub.h"

namespace wave::server {

class FakeQueue final : public queue::Supervisor {
 public:
  [[nodiscard]] std::shared_ptr<const queue::QueueView> view() const override {
    return std::make_shared<queue::QueueView>(shown);
  }
  [[nodiscard]] std::optional<int> position(const std::string&) const override { return {}; }
  void submitted(const std::string& run_id) override {
    const std::scoped_lock lock(mutex);  // handlers run on several threads
    started.push_back(run_id);
  }
  void set_max_concurrent(int) override {}
  void set_draining(bool) override {}
  void on_changed(std::function<void()>) override {}

  queue::QueueView shown;
  std::vector<std::string> started;
  std::mutex mutex;
};

class FakeHub final : public stream::Hub {
 public:
  Status start(Request, http::Responder&) override { return {}; }
  void drop_if(std::function<bool(const auth::Identity&)>) override {}
  void queue_changed() override {}
  void shut_down() override {}
  [[nodiscard]] size_t subscribers() const override { return count; }

  size_t count = 0;
};

/// Lets everybody in as `role`, or nobody.
class FakeAuthenticator final : public Authenticator {
 public:
  Result<auth::Identity> authenticate(const http::Request&) override {
    if (role == auth::Role::kNobody) return fail(Code::kPermissionDenied, "who are you?");
    return auth::Identity{.subject = "tester", .role = role};
  }
  [[nodiscard]] std::string mode() const override { return "none"; }
  [[nodiscard]] bool is_revoked(const auth::Identity&) const override { return false; }

  auth::Role role = auth::Role::kAdmin;
};

class TestServices {
 public:
  TestServices() {
    std::string name = (fs::temp_directory_path() / "wave-server-XXXXXX").native();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    root = name;
    auto started = process::Launcher::start();
    if (!started) throw std::runtime_error("no launcher");
    launcher.emplace(*std::move(started));
    auto opened = store::open_store({.project = root});
    if (!opened) throw std::runtime_error(full_message(opened.error()));
    runtime.emplace(
        engine::EngineConfig{.paths = {root}, .environment = {{"PATH", "/usr/bin:/bin"}}},
        *launcher, *std::move(opened));
    store = &runtime->store();
    engine = &runtime->engine();
    services.reset(new Services{.store = *store,
                                .paths = {root},
                                .engine = *engine,
                                .queue = queue,
                                .streams = hub,
                                .authenticator = authenticator,
                                .redactor = redactor,
                                .environment = {{"PATH", "/usr/bin:/bin"}},
                                .started_at = SystemClock().wall()});
    services->metrics = &metrics;
    disk = std::make_unique<disk::DiskWatch>(store::StatePaths{root});
    services->disk = disk.get();
    set_manifest({});
  }
  ~TestServices() {
    services.reset();
    runtime.reset();
    std::error_code ignored;
    fs::remove_all(root, ignored);
  }

  void set_manifest(model::Manifest manifest) const {
    auto settings = std::make_shared<Settings>();
    settings->manifest = std::move(manifest);
    services->settings.store(std::move(settings));
  }
  void write(const std::string& path, std::string_view text) const {
    fs::create_directories((root / path).parent_path());
    if (!write_file(root / path, text)) throw std::runtime_error("cannot write " + path);
  }
  /// Drives a run to its end on this thread.
  void drive(const std::string& run) {
    const auto adopted = engine->adopt(
        run, [&](const std::string&, const engine::Engine::Ended&) { runtime->loop().stop(); });
    ASSERT_TRUE(adopted) << full_message(adopted.error());
    runtime->loop().run();
  }

  /// Calls the handler of the row with this operation id, as the dispatcher would.
  Result<http::Response> call(const RouteTable& table, std::string_view operation_id,
                              const http::Request& request,
                              std::map<std::string, std::string> path = {},
                              std::multimap<std::string, std::string> query = {}) const {
    for (const Route& route : table.routes()) {
      if (route.operation_id != operation_id) continue;
      Call made{.request = request,
                .services = *services,
                .identity = {},
                .path = std::move(path),
                .query = std::move(query),
                .body = nullptr};
      return std::get<Handler>(route.handler)(made);
    }
    return fail(Code::kNotFound, "no such operation");
  }

  fs::path root;
  std::optional<process::Launcher> launcher;
  std::optional<engine::Runtime> runtime;
  store::Store* store = nullptr;
  engine::Engine* engine = nullptr;
  FakeQueue queue;
  FakeHub hub;
  FakeAuthenticator authenticator;
  Redactor redactor;
  std::unique_ptr<disk::DiskWatch> disk;
  metrics::ServerMetrics metrics;
  std::unique_ptr<Services> services;
};

inline std::string body_text(const http::Response& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return *text;
  if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response.body)) {
    return **shared;
  }
  return {};
}

/// What of an answer its schema does not allow, in words; empty: nothing.
inline std::string schema_errors(std::string_view schema, const http::Response& response) {
  const auto compiled = all_schemas().compile(schema, Schemas::Openness::kClosed);
  if (!compiled) return full_message(compiled.error());
  const auto value = parse_json(body_text(response));
  if (!value) return full_message(value.error());
  const auto errors = compiled->validate(*value);
  if (!errors) return full_message(errors.error());
  std::string text;
  for (const contract::SchemaError& error : *errors) {
    text += error.instance + ": " + error.message + "\n";
  }
  return text;
}

}  // namespace wave::server
