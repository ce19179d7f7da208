#include "cli/remote/remote_runs.h"

#include <fmt/format.h>

#include "base/id.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/remote/follow_run.h"
#include "cli/remote/rows.h"

namespace wave::cli::remote {
namespace {

constexpr size_t kPage = 200;  // of the API
constexpr Millis kCatchUp{10'000};

std::string key_for_once() {
  SystemRandom random;
  return make_uuid(random);
}

/// The filter as a query, for the API's GET /api/runs.
std::string query_of(const store::RunFilter& filter, const std::string& cursor, size_t limit) {
  std::string query = fmt::format("?limit={}", limit);
  const auto add = [&query](std::string_view name, const std::string& value) {
    if (!value.empty()) query += fmt::format("&{}={}", name, escaped(value));
  };
  for (const std::string& status : filter.statuses) add("status", status);
  add("pipeline", filter.pipeline);
  if (!filter.tag_key.empty()) add("tag", filter.tag_key + "=" + filter.tag_value);
  add("q", filter.text);
  if (filter.since) add("since", format_time(*filter.since));
  if (filter.until) add("until", format_time(*filter.until));
  add("cursor", cursor);
  return query;
}

void add_overrides(json::object& body, const flow::RunOptions& options) {
  if (!options.model.empty()) body["model"] = options.model;
  if (options.force_model) body["force_model"] = true;
  if (!options.adapter.empty()) body["adapter"] = options.adapter;
  if (options.timeout) body["timeout_ms"] = options.timeout->count();
  if (options.tags.empty()) return;
  json::object tags;
  for (const auto& [key, value] : options.tags) tags[key] = value;
  body["tags"] = std::move(tags);
}

json::object submission(const engine::RunRequest& request) {
  const flow::RunOptions& options = request.options;
  json::object body{{"pipeline", request.pipeline}};
  if (!options.input.empty()) body["input"] = options.input;
  if (!options.steps.empty()) body["steps"] = to_array(options.steps);
  if (!options.exclude.empty()) body["exclude"] = to_array(options.exclude);
  if (options.skip_gates) body["skip_gates"] = true;
  add_overrides(body, options);
  return body;
}

bool is_loopback(std::string_view url) {
  const std::string_view host = url.substr(url.find("//") + 2);
  for (const std::string_view name : {"localhost", "127.", "[::1]"}) {
    if (host.starts_with(name)) return true;
  }
  return false;
}

}  // namespace

/// Ends the following when it goes.
class RemoteRuns::RunWatch final : public Watch {
 public:
  RunWatch(RemoteRuns& runs, std::string run_id, std::shared_ptr<Follower> follower)
      : runs_(runs), run_id_(std::move(run_id)), follower_(std::move(follower)) {}
  RunWatch(const RunWatch&) = delete;
  RunWatch& operator=(const RunWatch&) = delete;
  ~RunWatch() override {
    const std::scoped_lock lock(runs_.mutex_);
    runs_.followed_.erase(run_id_);
  }
  [[nodiscard]] Status broken() const override { return follower_->broken(); }
  [[nodiscard]] bool complete() const override { return follower_->ended(); }

 private:
  RemoteRuns& runs_;
  std::string run_id_;
  std::shared_ptr<Follower> follower_;
};

std::shared_ptr<Follower> RemoteRuns::followed(const std::string& run_id, uint64_t& known) {
  const std::scoped_lock lock(mutex_);
  const auto found = followed_.find(run_id);
  if (found == followed_.end()) return nullptr;
  known = found->second.known;
  return found->second.follower;
}

Result<std::string> RemoteRuns::resolve(const std::string& prefix) {
  store::RunFilter filter;
  filter.limit = prefix.empty() ? 1 : kPage;
  filter.text = prefix;
  WAVE_TRY(const std::vector<flow::RunRow> rows, list(filter));
  if (prefix.empty()) {
    if (rows.empty()) return fail(Code::kNotFound, "the server has no run yet");
    return rows.front().run_id;
  }
  std::vector<std::string> candidates;
  for (const flow::RunRow& row : rows) {
    if (row.run_id == prefix) return prefix;
    if (row.run_id.starts_with(prefix)) candidates.push_back(row.run_id);
  }
  if (candidates.size() == 1) return candidates.front();
  if (candidates.empty()) {
    // The text may stand in the inputs of many newer runs; a whole id is found all the same.
    if (const auto details = run(prefix)) return details->row.run_id;
    return fail(Code::kNotFound, "there is no run " + excerpt(prefix, 100) + " on " + client_.url(),
                "see: wave status");
  }
  const size_t shown = std::min<size_t>(candidates.size(), 5);
  return fail(Code::kUsage,
              fmt::format("{} runs begin with {}", candidates.size(), excerpt(prefix, 100)),
              "name one of: " + join(std::span(candidates).first(shown), ", "));
}

Result<store::RunDetails> RemoteRuns::run(const std::string& run_id) {
  WAVE_TRY(const json::object detail, client_.get("/api/runs/" + escaped(run_id)));
  store::RunDetails details = run_details(detail);
  const std::scoped_lock lock(mutex_);
  if (const auto found = followed_.find(run_id); found != followed_.end()) {
    found->second.known = std::max(found->second.known, details.row.last_seq);
  }
  return details;
}

Result<std::vector<flow::RunRow>> RemoteRuns::list(const store::RunFilter& filter) {
  // `after` names a run; the API goes on with a cursor of its own. So that a page follows a page,
  // whatever was asked for is read from the start.
  std::vector<flow::RunRow> rows;
  std::string cursor;
  bool reached = filter.after.empty();
  while (rows.size() < filter.limit) {
    const size_t want = reached ? std::min(kPage, filter.limit - rows.size()) : kPage;
    WAVE_TRY(const json::object page, client_.get("/api/runs" + query_of(filter, cursor, want)));
    for (const json::value& run : get_array(page, "runs")) {
      if (!run.is_object()) continue;
      flow::RunRow row = run_row(run.get_object());
      if (!reached) {
        reached = row.run_id == filter.after;
      } else if (rows.size() < filter.limit) {
        rows.push_back(std::move(row));
      }
    }
    cursor = get_string(page, "next_cursor");
    if (cursor.empty() || !get_bool(page, "has_more")) break;
  }
  return rows;
}

Result<std::vector<store::StoredEvent>> RemoteRuns::events(const std::string& run_id,
                                                           const store::EventQuery& query) {
  uint64_t known = 0;
  if (const auto follower = followed(run_id, known)) {
    // What the server has told of is on its way.
    follower->wait_for(known, kCatchUp);
    return follower->take(query.after, query.limit, query.step);
  }
  WAVE_TRY(const store::RunDetails details, run(run_id));
  const uint64_t last = details.row.last_seq;
  std::vector<store::StoredEvent> page;
  if (last <= query.after) return page;
  Follower follower(client_, run_id, query.after, [] {});
  uint64_t after = query.after;
  while (page.size() < query.limit && after < last) {
    follower.wait_for(after + 1, kCatchUp);
    const auto piece = follower.take(after, query.limit, "");
    for (const store::StoredEvent& event : piece) {
      after = event.seq;
      if (after > last || page.size() >= query.limit) break;
      const auto line = query.step.empty() ? Result<json::value>(nullptr) : parse_json(event.line);
      const bool wanted =
          query.step.empty() ||
          (line && line->is_object() && get_string(line->get_object(), "step") == query.step);
      if (wanted) page.push_back(event);
    }
    if (!piece.empty()) continue;
    WAVE_CHECK(follower.broken());
    if (follower.ended()) break;
    return fail(Code::kServerUnreachable, "the server's stream does not come", "try again");
  }
  return page;
}

Result<std::vector<std::pair<std::string, flow::GateRow>>> RemoteRuns::waiting_gates() {
  std::vector<std::pair<std::string, flow::GateRow>> gates;
  std::string cursor;
  do {
    std::string path = "/api/gates";
    if (!cursor.empty()) path += "?cursor=" + escaped(cursor);
    WAVE_TRY(const json::object page, client_.get(path));
    for (const json::value& item : get_array(page, "gates")) {
      if (!item.is_object()) continue;
      const json::object& gate = get_object(item.get_object(), "gate");
      gates.emplace_back(std::string(get_string(gate, "run_id")), gate_row(gate));
    }
    cursor = get_string(page, "next_cursor");
  } while (!cursor.empty());
  return gates;
}

std::unique_ptr<Watch> RemoteRuns::watch(const std::string& run_id, uint64_t after,
                                         std::function<void()> changed) {
  auto follower = std::make_shared<Follower>(client_, run_id, after, std::move(changed));
  {
    const std::scoped_lock lock(mutex_);
    followed_[run_id] = {follower, after};
  }
  return std::make_unique<RunWatch>(*this, run_id, std::move(follower));
}

Status RemoteRuns::cancel(const std::string& run_id, bool force, const std::string& reason) {
  json::object body{{"force", force}};
  if (!reason.empty()) body["reason"] = reason;
  WAVE_TRY([[maybe_unused]] const json::object answer,
           client_.post("/api/runs/" + escaped(run_id) + "/cancel", body));
  return {};
}

Status RemoteRuns::decide(const Decision& decision) {
  json::object body{{"gate_id", decision.gate_id}};
  if (!decision.choice.empty()) body["choice"] = decision.choice;
  if (!decision.text.empty()) body["text"] = decision.text;
  const std::string path =
      fmt::format("/api/runs/{}/gate/{}", escaped(decision.run_id), escaped(decision.step));
  WAVE_TRY([[maybe_unused]] const json::object answer, client_.post(path, body, key_for_once()));
  return {};
}

Result<flow::Plan> RemoteRuns::plan(const engine::RunRequest& request) {
  json::object body = submission(request);
  body["dry_run"] = true;
  WAVE_TRY(const json::object plan, client_.post("/api/runs", body));
  return flow::plan_of(plan);
}

Result<int> RemoteRuns::start(const engine::RunRequest& request, bool detach) {
  const json::object body = submission(request);
  WAVE_TRY(const json::object made, client_.post("/api/runs", body, key_for_once()));
  const std::string run_id(get_string(made, "run_id"));
  if (!detach && !context_.json() && !context_.quiet()) {
    const int64_t position = get_int(made, "queue_position");
    context_.note("run " + run_id +
                  (position > 0 ? fmt::format(", place {} in the queue", position) : "") + "\n");
  }
  return show(run_id, detach);
}

Result<int> RemoteRuns::fork(const engine::ForkRequest& request, bool detach) {
  json::object body;
  if (!request.from_step.empty()) body["from_step"] = request.from_step;
  add_overrides(body, request.options);
  return resume(request.origin, std::move(body), detach);
}

Result<int> RemoteRuns::go_on(const std::string& run_id, bool detach) {
  return resume(run_id, {}, detach);
}

Result<int> RemoteRuns::resume(const std::string& run_id, json::object body, bool detach) {
  const std::string path = "/api/runs/" + escaped(run_id) + "/resume";
  WAVE_TRY(const json::object made, client_.post(path, body, key_for_once()));
  const std::string resumed(get_string(made, "run_id"));
  if (resumed != run_id) context_.note("run " + resumed + ", made from " + run_id + "\n");
  return show(resumed, detach);
}

Result<int> RemoteRuns::show(const std::string& run_id, bool detach) {
  if (!detach) return follow_run(context_, *this, run_id);
  if (context_.json()) {
    context_.print_json(json::object{{"run_id", run_id}, {"detached", true}});
    return 0;
  }
  context_.print(run_id + "\n");
  context_.note("goes on at " + client_.url() + "; watch it:  wave logs " + run_id + " --follow\n");
  return 0;
}

Result<std::unique_ptr<RunAccess>> connect(const Context& context) {
  ServerPlace place;
  place.url = context.server();
  while (place.url.ends_with('/')) place.url.pop_back();
  if (!place.url.starts_with("http://") && !place.url.starts_with("https://")) {
    return fail(Code::kUsage, "\"" + excerpt(place.url, 200) + "\" is no address of a server",
                "write it as https://wave.example:8443 or http://127.0.0.1:8080");
  }
  place.token = std::string(trim(context.variable("WAVE_TOKEN").value_or("")));
  place.ca = context.global().ca;
  place.certificate = context.global().cert;
  place.key = context.global().key;
  if (place.url.starts_with("http://") && !place.token.empty() && !is_loopback(place.url)) {
    context.note("the token goes to " + place.url + " unencrypted: use https\n");
  }
  return std::make_unique<RemoteRuns>(context, std::move(place));
}

}  // namespace wave::cli::remote
