#include "server/serve/serve.h"

#include <fmt/core.h>
#include <signal.h>

#include "base/descriptor_limit.h"
#include "base/end_watch.h"
#include "base/log.h"
#include "base/stop_after.h"
#include "engine/known_secrets.h"
#include "engine/project_loading.h"
#include "engine/runtime.h"
#include "http/server.h"
#include "model/project.h"
#include "process/host_life.h"
#include "server/access/authenticators.h"
#include "server/api/api.h"
#include "server/api/router.h"
#include "server/disk/disk_watch.h"
#include "server/metrics/server_metrics.h"
#include "server/queue/make_supervisor.h"
#include "server/serve/service_manager.h"
#include "server/serve/start_memory.h"
#include "server/stream/make_hub.h"
#include "server/web/assets.h"
#include "server/webhook/receiver.h"
#include "store/server_lock.h"

namespace wave::server {
namespace {

// Housekeeping gets half of one thread's time at most, in pieces that nobody waits long for: some
// five runs a second.
constexpr Millis kHousePiece{200};
constexpr int kHouseShare = 2;
constexpr Millis kHouseRest{5'000};      // when nothing was left
constexpr Millis kLastAnswers{2'000};    // for answers that are on their way at the end
constexpr Millis kStopPatience{30'000};  // for agents that are asked to stop
constexpr Millis kLook{50};

Result<std::shared_ptr<const Settings>> load_settings(const ServeRequest& request) {
  const model::DiskSource files(request.paths.project);
  auto loaded = model::load_manifest(files, {.manifest_path = request.manifest_path});
  // What this version does not carry out concerns runs, and stops those.
  std::erase_if(loaded.diagnostics, [](const model::Diagnostic& diagnostic) {
    return diagnostic.severity != model::Severity::kError;
  });
  WAVE_CHECK(engine::check_runnable(loaded.diagnostics, request.manifest_path));
  auto settings = std::make_shared<Settings>();
  settings->manifest = std::move(loaded.value);
  settings->manifest_path = request.manifest_path;
  return settings;
}

std::string url_of(const std::pair<std::string, uint16_t>& address, bool tls) {
  const auto& [host, port] = address;
  return fmt::format("{}://{}:{}", tls ? "https" : "http",
                     host.contains(':') ? "[" + host + "]" : host, port);
}

/// The parts in the order in which they depend on each other: destroyed from the last to the first,
/// once the runtime has ended.
class RunningServer {
 public:
  RunningServer(const ServeRequest& request, ServeSettings settings,
                std::vector<std::string> secrets, store::ServerLock lock,
                std::unique_ptr<store::Store> store)
      : request_(request),
        settings_(std::move(settings)),
        manager_(request.environment),
        lock_(std::move(lock)),
        disk_(request.paths),
        secrets_(std::move(secrets)),
        redactor_(secrets_),
        runtime_({.paths = request.paths, .environment = request.environment}, request.launcher,
                 std::move(store)) {}

  ~RunningServer() {
    if (watch_) watch_->stop_hearing();
    answers_.request_stop();
    http_.reset();  // ends the threads that use what follows
    runtime_.end();
  }

  Status start(std::shared_ptr<const Settings> settings);
  int run();

 private:
  Status listen();
  void answer(const http::Request& asked, http::Responder responder);
  void heard(EndWatch& watch, int signal);
  void on_signal(int signal);
  void reload();
  Status take_over_settings();
  void beat();
  void keep_house();
  void begin_shutdown();
  void stop_agents();
  void let_steps_end(MonoTime until);
  void end();
  [[nodiscard]] size_t working() const { return queue_->view()->running.size(); }

  std::unique_ptr<EndWatch> watch_;  // until everything else has ended
  const ServeRequest& request_;
  ServeSettings settings_;
  ServiceManager manager_;
  store::ServerLock lock_;
  disk::DiskWatch disk_;
  const std::vector<std::string> secrets_;
  Redactor redactor_;
  engine::Runtime runtime_;
  AsioLoop& loop_ = runtime_.loop();
  store::Store& store_ = runtime_.store();
  engine::Engine& engine_ = runtime_.engine();
  std::unique_ptr<queue::SupervisorControl> queue_;
  std::unique_ptr<stream::Hub> hub_;
  metrics::ServerMetrics metrics_;
  std::unique_ptr<Access> access_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<http::Server> http_;
  std::stop_source housekeeping_;  // what retention removes
  std::stop_source answers_;       // what handlers do
  int heard_requests_ = 0;         // to end; of the watch's thread
  bool shuts_down_ = false;
};

Status RunningServer::start(std::shared_ptr<const Settings> settings) {
  WAVE_CHECK(webhook::check_secrets(settings->manifest, request_.environment));
  WAVE_TRY(access_,
           make_access({.settings = *settings,
                        .host = settings_.host,
                        .environment = request_.environment,
                        .paths = request_.paths,
                        .store = store_,
                        .redactor = redactor_,
                        .refused = [this](std::string_view reason) { metrics_.refused(reason); }}));
  WAVE_TRY(queue_, queue::make_supervisor(loop_, store_, request_.paths, engine_,
                                          settings_.max_concurrent));
  WAVE_TRY(hub_, stream::make_hub(store_, *queue_));
  services_.reset(new Services{.store = store_,
                               .paths = request_.paths,
                               .engine = engine_,
                               .queue = *queue_,
                               .streams = *hub_,
                               .authenticator = access_->authenticator(),
                               .redactor = redactor_,
                               .environment = request_.environment,
                               .started_at = SystemClock().wall(),
                               .demo = settings_.demo,
                               .ending = answers_.get_token(),
                               .base_path = settings_.base_path,
                               .settings = std::move(settings)});
  services_->audit = &access_->audit();
  services_->access = access_.get();
  services_->metrics = &metrics_;
  services_->disk = &disk_;
  queue_->hold_while([this]() -> std::optional<std::string> {
    const Status takes = disk_.check();
    return takes ? std::nullopt : std::optional(full_message(takes.error()));
  });
  queue_->on_changed([this] { hub_->queue_changed(); });
  access_->on_revoked([this] {
    hub_->drop_if([this](const auth::Identity& identity) {
      return services_->authenticator.is_revoked(identity);
    });
  });
  WAVE_TRY(router_,
           Router::make(
               *services_,
               {.routes = all_routes(),
                .schemas = all_schemas(),
                .check_browser = access_->browser_check(),
                .client_address =
                    [this](const http::Request& asked) { return access_->client_address(asked); },
                .answered =
                    [this](std::string_view method, std::string_view route, int status,
                           double seconds) { metrics_.answered(method, route, status, seconds); },
                .fallback =
                    [this](const http::Request& asked) {
                      return web::asset_response(asked, settings_.base_path);
                    }}));
  WAVE_CHECK(queue_->start());
  WAVE_TRY(watch_, EndWatch::start({SIGINT, SIGTERM, SIGHUP},
                                   [this](EndWatch& watch, int signal) { heard(watch, signal); }));
  WAVE_CHECK(listen());
  return {};
}

Status RunningServer::listen() {
  http::ServerOptions options{.host = settings_.host, .port = settings_.port};
  options.limits = http::fit_to_descriptors(options.limits, descriptor_limit());
  options.is_proxy = [this](const std::string& peer) { return access_->is_proxy(peer); };
  options.client_of = [this](const http::Request& request) {
    return access_->client_address(request);
  };
  options.tls = access_->tls();
  options.common_headers = access_->common_headers();
  options.body_limit = [this](const http::Request& head) { return router_->body_limit(head); };
  options.inline_answer = [this](const http::Request& request) {
    return router_->inline_answer(request);
  };
  options.base_path = settings_.base_path;
  options.spool_folder = request_.paths.state();
  options.lane = [this](const http::Request& request) { return router_->lane(request); };
  const bool tls = options.tls != nullptr;
  WAVE_TRY(http_, http::Server::start(std::move(options),
                                      [this](http::Request request, http::Responder responder) {
                                        answer(request, std::move(responder));
                                      }));
  services_->http = http_.get();
  const std::string url = url_of(http_->address(), tls) + settings_.base_path;
  WAVE_CHECK(lock_.announce(url));
  if (request_.listening) {
    std::string login;
    if (request_.wants_login_link) {
      WAVE_TRY(login, access_->login_link(url));
    }
    request_.listening({.url = url,
                        .asks_who = access_->authenticator().mode() != "none",
                        .login_link = std::move(login),
                        .settings = settings_});
  }
  return {};
}

// The door first: who asks too often, or under another name, does not reach the router.
void RunningServer::answer(const http::Request& asked, http::Responder responder) {
  if (auto refused = access_->refuse(asked)) return responder.send(*std::move(refused));
  router_->handle(asked, std::move(responder));
}

int RunningServer::run() {
  manager_.notify("READY=1");
  beat();
  keep_house();
  give_back_start_memory();
  loop_.run();
  manager_.notify("STOPPING=1");
  watch_->end_soon(0);
  engine_.abandon();  // agents go on; the next owner reads on from where we were
  (void)http_->drain(kLastAnswers);
  return 0;
}

// On the watch's thread: the loop may be busy. What steps or agents are waited for is the loop's
// affair.
void RunningServer::heard(EndWatch& watch, int signal) {
  const bool waits = request_.flags.stop_agents || request_.flags.drain_timeout > Millis(0);
  if (signal != SIGHUP && (++heard_requests_ > 1 || !waits)) watch.end_soon(0);
  loop_.post([this, signal] { on_signal(signal); });
}

void RunningServer::on_signal(int signal) {
  if (signal == SIGHUP) return reload();
  if (shuts_down_) return loop_.stop();
  begin_shutdown();
}

void RunningServer::reload() {
  manager_.notify_reloading();
  if (const Status reloaded = take_over_settings(); !reloaded) {
    log::error("the configuration was not reloaded: {}", full_message(reloaded.error()));
  } else {
    log::info("the configuration was reloaded");
  }
  manager_.notify("READY=1");  // with the settings that stand
}

// All of it or nothing: what can be wrong is looked at first.
Status RunningServer::take_over_settings() {
  WAVE_TRY(auto settings, load_settings(request_));
  WAVE_TRY(const ServeSettings resolved,
           resolve_settings(request_.flags, request_.environment, settings->manifest));
  WAVE_CHECK(webhook::check_secrets(settings->manifest, request_.environment));
  WAVE_CHECK(access_->reload(*settings));
  if (const auto tls = access_->tls()) http_->replace_tls(tls);
  // Runs mask what their own manifest holds; views and errors know what was there at the start.
  if (engine::known_secrets(settings->manifest, request_.environment) != secrets_) {
    log::warning(
        "secrets of the manifest have changed: outside of new runs the new ones are "
        "masked from the next start on");
  }
  services_->settings.store(std::move(settings));
  if (resolved.host != settings_.host || resolved.port != settings_.port ||
      resolved.base_path != settings_.base_path) {
    log::warning(
        "the address to listen on changes with the next start only, as does the base path");
  }
  // What was set over HTTP stands until the file says something else.
  if (resolved.max_concurrent != settings_.max_concurrent) {
    queue_->set_max_concurrent(resolved.max_concurrent);
    settings_.max_concurrent = resolved.max_concurrent;
  }
  return {};
}

void RunningServer::beat() {
  const auto every = manager_.watchdog();
  if (!every) return;
  manager_.notify("WATCHDOG=1");
  loop_.call_at(loop_.clock().mono() + *every / 2, [this] { beat(); });
}

void RunningServer::keep_house() {
  if (!request_.housekeeping) return;
  struct Piece {
    bool more = false;
    MonoTime::duration took{};
  };
  auto piece = std::make_shared<Piece>();
  loop_.run_lengthy(
      [this, piece, stop = housekeeping_.get_token()] {
        const SystemClock clock;
        const MonoTime began = clock.mono();
        const StopAfter pause(kHousePiece, stop);
        piece->more = request_.housekeeping(store_, stop, pause.token());
        piece->took = clock.mono() - began;
      },
      [this, piece] {
        if (shuts_down_) return;
        const MonoTime::duration rest = piece->took * (kHouseShare - 1);
        loop_.call_at(loop_.clock().mono() + (piece->more ? rest : rest + kHouseRest),
                      [this] { keep_house(); });
      });
}

// No new work; what is at work goes on without us, unless it was asked to end.
void RunningServer::begin_shutdown() {
  shuts_down_ = true;
  housekeeping_.request_stop();
  log::info("shutting down");
  manager_.notify("STOPPING=1");
  queue_->set_draining(true);
  if (request_.flags.stop_agents) return stop_agents();
  let_steps_end(loop_.clock().mono() + request_.flags.drain_timeout);
}

void RunningServer::stop_agents() {
  for (const queue::QueueEntry& entry : queue_->view()->running) {
    store::Command stop;
    stop.run_id = entry.run_id;
    stop.kind = "stop";
    stop.payload = {{"reason", "shutdown"}};
    stop.actor = "wave";
    stop.via = "shutdown";
    stop.created_at = loop_.clock().wall();
    if (const auto asked = store_.submit_command(stop); !asked) {
      log::warning("run {} was not asked to stop: {}", entry.run_id, full_message(asked.error()));
    }
  }
  engine_.poll_commands();
  let_steps_end(loop_.clock().mono() + std::max(kStopPatience, request_.flags.drain_timeout));
}

void RunningServer::let_steps_end(MonoTime until) {
  if (working() == 0 || loop_.clock().mono() >= until) return end();
  loop_.call_at(loop_.clock().mono() + kLook, [this, until] { let_steps_end(until); });
}

void RunningServer::end() {
  queue_->stop();
  http_->stop_accepting();
  hub_->shut_down();
  loop_.stop();
}

}  // namespace

Result<int> serve(const ServeRequest& request) {
  WAVE_TRY(auto manifest, load_settings(request));
  WAVE_TRY(ServeSettings settings,
           resolve_settings(request.flags, request.environment, manifest->manifest));
  WAVE_TRY(store::ServerLock lock, store::ServerLock::acquire(request.paths));
  WAVE_TRY(auto store, store::open_store(request.paths, {.server = true}));
  WAVE_CHECK(process::check_supervision(request.paths.state()));
  RunningServer server(request, std::move(settings),
                       engine::known_secrets(manifest->manifest, request.environment),
                       std::move(lock), std::move(store));
  WAVE_CHECK(server.start(std::move(manifest)));
  return server.run();
}

}  // namespace wave::server
