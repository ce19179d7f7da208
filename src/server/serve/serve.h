// `wave serve` as a whole: what it is made of, how it comes up, and how it goes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "process/launcher.h"
#include "server/serve/serve_options.h"
#include "store/store.h"

namespace wave::server {

/// What there is to say once it listens.
struct Listening {
  std::string url;         // "http://127.0.0.1:8080"
  bool asks_who = false;   // whether people have to log in
  std::string login_link;  // for a browser, good once; empty unless it was asked for and is needed
  const ServeSettings& settings;
};

/// What the command line hands over.
struct ServeRequest {
  store::StatePaths paths;
  std::string manifest_path = "wave.yaml";
  std::map<std::string, std::string> environment;
  process::Launcher& launcher;
  ServeFlags flags;
  /// Makes a login link for `listening`. Whoever reads it is admin: only for a person's eyes.
  bool wants_login_link = false;
  /// Called once it listens.
  std::function<void(const Listening& listening)> listening;
  /// Called again and again on a thread of the pool, for a little at a time: removes what retention
  /// does not keep, until it is asked to pause, which may take a workspace's removal, or to stop.
  /// Whether something is left to do.
  std::function<bool(store::Store& store, const std::stop_token& stop,
                     const std::stop_token& pause)>
      housekeeping;
};

/// Serves until SIGTERM or SIGINT; a second one ends it at once. Blocks. Returns the exit code. An
/// error: it did not come up, and nothing was changed.
Result<int> serve(const ServeRequest& request);

}  // namespace wave::server
