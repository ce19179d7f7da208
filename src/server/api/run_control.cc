// Ending runs, and beginning again.
#include <fmt/core.h>

#include <condition_variable>
#include <mutex>

#include "base/hash.h"
#include "server/api/handlers.h"
#include "server/queue/supervisor.h"
#include "store/owner_lock.h"

namespace wave::server::api {
namespace {

/// How long an answer waits for a queued run to be gone; then it says "cancelling".
constexpr Millis kPatience{3'000};

Error has_ended(const flow::RunRow& row) {
  return {Code::kConflict, fmt::format("run {} has ended: {}", row.run_id, row.status),
          "what has ended stays as it ended"};
}

/// Waits until the run is terminal, woken by the store.
class EndWatch {
 public:
  EndWatch(store::Store& store, std::string run_id) : store_(store), run_id_(std::move(run_id)) {
    subscription_ = store_.subscribe([this](const std::string& run, uint64_t) {
      if (!run.empty() && run != run_id_) return;
      const std::lock_guard lock(mutex_);
      news_ = true;
      changed_.notify_all();
    });
  }
  ~EndWatch() { store_.unsubscribe(subscription_); }
  EndWatch(const EndWatch&) = delete;
  EndWatch& operator=(const EndWatch&) = delete;

  Result<bool> wait(Millis patience) {
    const MonoTime deadline = SystemClock().mono() + patience;
    while (true) {
      WAVE_TRY(const store::RunDetails details, store_.run(run_id_));
      if (is_terminal(details.row)) return true;
      std::unique_lock lock(mutex_);
      if (!changed_.wait_until(lock, deadline, [this] { return news_; })) return false;
      news_ = false;
    }
  }

 private:
  store::Store& store_;
  const std::string run_id_;
  uint64_t subscription_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool news_ = false;  // guarded by mutex_
};

http::Response goes_on(const Call& call, const flow::RunRow& origin, const std::string& run_id,
                       const std::string& status, int http_code) {
  const std::optional<int> position = call.services.queue.position(run_id);
  json::value from_step = nullptr;
  if (call.body.is_object()) {
    if (const auto step = get_string(call.body.get_object(), "from_step"); !step.empty()) {
      from_step = step;
    }
  }
  http::Response response = json_response(
      json::object{{"run_id", run_id},
                   {"original_run_id", origin.run_id},
                   {"pipeline", origin.pipeline},
                   {"pipeline_name", origin.pipeline},
                   {"from_step", std::move(from_step)},
                   {"status", status},
                   {"queue_position", position ? json::value(*position) : json::value(nullptr)}},
      http_code);
  response.headers.add("Location", call.services.base_path + "/api/runs/" + run_id);
  return response;
}

/// An Idempotency-Key, and what it was sent with. Both empty: there is none.
struct Once {
  std::string key, hash;
};

Result<Once> once(const Call& call, std::string_view operation, const flow::RunRow& origin) {
  WAVE_TRY(std::string key, idempotency_key(call));
  if (key.empty()) return Once{};
  return Once{std::move(key),
              sha256_hex(fmt::format("{} {}\n{}", operation, origin.run_id, dump_json(call.body)))};
}

/// What became of the same request before, if there was one.
Result<std::optional<http::Response>> said_before(const Call& call, const flow::RunRow& origin,
                                                  const Once& once) {
  if (once.key.empty()) return std::nullopt;
  WAVE_TRY(const auto run_id, call.services.store.run_of_key(once.key, once.hash));
  if (!run_id) return std::nullopt;
  WAVE_TRY(const store::RunDetails details, call.services.store.run(*run_id));
  return goes_on(call, origin, *run_id, details.row.status, *run_id == origin.run_id ? 200 : 201);
}

engine::ForkRequest fork_request(const Call& call, const flow::RunRow& origin, const Once& once) {
  const json::object& body = call.body.get_object();
  engine::ForkRequest request;
  request.origin = origin.run_id;
  request.from_step = get_string(body, "from_step");
  request.actor = call.identity.actor();
  request.idempotency_key = once.key;
  request.request_hash = once.hash;
  request.options.model = get_string(body, "model");
  request.options.force_model = get_bool(body, "force_model");
  request.options.adapter = get_string(body, "adapter");
  if (const int64_t timeout = get_int(body, "timeout_ms"); timeout > 0) {
    request.options.timeout = Millis(timeout);
  }
  for (const auto& [key, value] : get_object(body, "tags")) {
    request.options.tags.emplace(key, json_to_text(value));
  }
  request.audit = call.audit(201);
  return request;
}

Result<http::Response> fork(const Call& call, const flow::RunRow& origin,
                            const engine::ForkRequest& request) {
  WAVE_CHECK(call.services.takes_runs());
  WAVE_TRY(const std::string run_id, call.services.engine.fork(request));
  call.services.queue.submitted(run_id);
  return goes_on(call, origin, run_id, "queued", 201);
}

/// A run that has not ended goes on as it was started.
Result<http::Response> resume_live(const Call& call, const flow::RunRow& row, const Once& once) {
  bool changed = false;
  for (const auto& [key, value] : call.body.get_object()) changed |= key != "force";
  if (changed) {
    return fail(Code::kConflict,
                fmt::format("run {} has not ended: it goes on as it was started", row.run_id),
                "resume it without further options, or cancel it first");
  }
  const bool stopped = flow::is_stopped(row.waiting_reason);
  if (!stopped &&
      (row.status == "queued" || store::OwnerLock::is_held(call.services.paths, row.run_id))) {
    return fail(Code::kConflict,
                fmt::format("run {} goes on by itself: it is {}", row.run_id, row.status),
                "watch its events, or cancel it");
  }
  if (!once.key.empty()) {
    WAVE_CHECK(call.services.store.keep_key(once.key, once.hash, row.run_id));
  }
  call.services.queue.submitted(row.run_id);
  return goes_on(call, row, row.run_id, row.status, 200);
}

}  // namespace

Result<http::Response> cancel_run(Call& call) {
  WAVE_TRY(const store::RunDetails details, run_of(call));
  const flow::RunRow& row = details.row;
  if (is_terminal(row)) return fail(has_ended(row));
  const json::object& body = call.body.get_object();
  EndWatch watch(call.services.store, row.run_id);
  store::Command command;
  command.run_id = row.run_id;
  command.kind = "cancel";
  command.payload = {{"force", get_bool(body, "force")}, {"reason", get_string(body, "reason")}};
  command.actor = call.identity.actor();
  command.via = via(call);
  command.created_at = SystemClock().wall();
  command.audit = call.audit(200);
  WAVE_TRY([[maybe_unused]] const int64_t id, call.services.store.submit_command(command));
  // Nothing has to end for a queued run: whoever asks is told that it is gone, not that it will be.
  bool over = false;
  if (row.status == "queued") {
    WAVE_TRY(over, watch.wait(kPatience));
  }
  return json_response(
      json::object{{"run_id", row.run_id}, {"status", over ? "cancelled" : "cancelling"}});
}

Result<http::Response> retry_run(Call& call) {
  WAVE_TRY(const store::RunDetails details, run_of(call));
  const flow::RunRow& row = details.row;
  WAVE_TRY(const Once key, once(call, "retry", row));
  WAVE_TRY(auto before, said_before(call, row, key));
  if (before) return *std::move(before);
  if (!is_terminal(row)) return resume_live(call, row, key);
  engine::ForkRequest request = fork_request(call, row, key);
  const bool completed = row.status == "completed" || row.status == "completed_empty";
  if (completed && request.from_step.empty()) {
    return fail(Code::kConflict, fmt::format("run {} has completed", row.run_id),
                "submit its pipeline again, or say from which step: from_step");
  }
  request.from_beginning = request.from_step.empty();
  return fork(call, row, request);
}

Result<http::Response> resume_run(Call& call) {
  WAVE_TRY(const store::RunDetails details, run_of(call));
  const flow::RunRow& row = details.row;
  WAVE_TRY(const Once key, once(call, "resume", row));
  WAVE_TRY(auto before, said_before(call, row, key));
  if (before) return *std::move(before);
  if (!is_terminal(row)) return resume_live(call, row, key);
  const engine::ForkRequest request = fork_request(call, row, key);
  const bool completed = row.status == "completed" || row.status == "completed_empty";
  if (completed && request.from_step.empty()) {
    return fail(Code::kConflict,
                fmt::format("run {} has completed: there is nothing to resume", row.run_id),
                "to run a part of it again, say from where: from_step");
  }
  return fork(call, row, request);
}

}  // namespace wave::server::api
