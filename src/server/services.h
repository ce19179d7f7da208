// What handlers work with. One object, made by serve/, alive as long as the server.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

#include "auth/identity.h"
#include "base/clock.h"
#include "base/redact.h"
#include "engine/engine.h"
#include "model/manifest.h"
#include "store/store.h"

namespace wave::http {
class Server;
struct Request;
}  // namespace wave::http

namespace wave::server {

namespace queue {
class Supervisor;
}
namespace stream {
class Hub;
}
namespace metrics {
class ServerMetrics;
}
namespace disk {
class DiskWatch;
}
class Access;

/// Who a request comes from: an identity, or an error that says why it is nobody (401), with its
/// reason code. Implemented by access/; mode none answers "anonymous" with role admin.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  /// Thread: any.
  virtual Result<auth::Identity> authenticate(const http::Request& request) = 0;
  /// "none", "jwt", "mtls", "jwt, mtls".
  [[nodiscard]] virtual std::string mode() const = 0;
  /// Whether a credential that was good before has been revoked since (promise E10). Thread: any.
  [[nodiscard]] virtual bool is_revoked(const auth::Identity& identity) const = 0;
};

/// One call that wanted to change something, and what came of it (promise A6).
struct AuditEntry {
  WallTime at{};
  std::string request_id, actor, role, source;  // source: the client's address
  std::string operation, target;                // the row's operation_id; the path
  int status = 0;
  std::string code;  // of the problem; empty: it was done
};

/// Where such calls are written down. Thread: any.
class AuditLog {
 public:
  virtual ~AuditLog() = default;
  /// Before the answer is sent. An error is logged; what was done stays done.
  virtual Status record(const AuditEntry& entry) = 0;
  /// The entry as the store keeps it, to be stored with what the call changes; nothing where
  /// entries are kept elsewhere.
  [[nodiscard]] virtual std::optional<store::AuditEntry> row(const AuditEntry& /*entry*/) const {
    return std::nullopt;
  }
};

namespace api {
class Shared;
}

/// Settings that a reload may change (SIGHUP); immutable once made.
struct Settings {
  model::Manifest manifest;
  std::string manifest_path = "wave.yaml";
};

/// All references outlive the server. Thread: any, unless a member says otherwise.
struct Services {
  store::Store& store;
  store::StatePaths paths;
  /// create() and fork() from any thread; the rest belongs to the loop.
  engine::Engine& engine;
  queue::Supervisor& queue;
  stream::Hub& streams;
  Authenticator& authenticator;
  const Redactor& redactor;
  std::map<std::string, std::string> environment;
  WallTime started_at;
  bool demo = false;  // serves the demo project (`wave serve --demo`)
  /// Ends what handlers do early when the server ends: git above all.
  std::stop_token ending{};
  /// "/wave" where a proxy shows the server below a path: what every address of ours begins with.
  std::string base_path{};

  std::atomic<std::shared_ptr<const Settings>> settings;
  http::Server* http = nullptr;               // set once the server listens
  const disk::DiskWatch* disk = nullptr;      // null: in tests that need none
  AuditLog* audit = nullptr;                  // null: mutating calls go to wave's own log
  std::shared_ptr<api::Shared> api;           // what handlers of api/ share; the router makes it
  Access* access = nullptr;                   // the door; null in tests that need none
  metrics::ServerMetrics* metrics = nullptr;  // null: nothing is counted

  /// Whether new runs are taken: not while the disk has no room for them (promise O3).
  [[nodiscard]] Status takes_runs() const;
};

}  // namespace wave::server
