#include "cli/remote/follower.h"

#include "base/text.h"
#include "flow/state.h"

namespace wave::cli::remote {
namespace {

constexpr Millis kFirstPause{200};
constexpr Millis kLongestPause{5'000};

bool is_end(std::string_view kind) {
  return kind == "run_completed" || kind == "run_failed" || kind == "run_rejected" ||
         kind == "run_cancelled";
}

/// Whether trying again can help: the server, or a proxy before it, is away for a moment.
bool may_come_back(const Error& error) {
  return error.code == Code::kServerUnreachable || error.code == Code::kTimeout ||
         error.code == Code::kStore || error.code == Code::kRateLimited ||
         error.code == Code::kInterrupted;
}

}  // namespace

Follower::Follower(const ApiClient& client, std::string run_id, uint64_t after,
                   std::function<void()> changed)
    : client_(client),
      run_id_(std::move(run_id)),
      changed_(std::move(changed)),
      cancel_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      last_(after),
      last_id_(after > 0 ? std::to_string(after) : std::string()),
      thread_([this] { run(); }) {}

Follower::~Follower() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  moved_.notify_all();
  constexpr uint64_t kOne = 1;
  (void)!::write(cancel_.get(), &kOne, sizeof kOne);
  thread_.join();
}

std::vector<store::StoredEvent> Follower::take(uint64_t after, size_t limit,
                                               const std::string& step) {
  std::vector<store::StoredEvent> page;
  {
    const std::scoped_lock lock(mutex_);
    std::erase_if(events_, [&](const Kept& kept) {
      const bool done = kept.event.seq <= after || (!step.empty() && kept.step != step);
      if (done) bytes_ -= kept.event.line.size();
      return done;
    });
    for (const Kept& kept : events_) {
      if (page.size() >= limit) break;
      page.push_back(kept.event);
    }
  }
  moved_.notify_all();
  return page;
}

void Follower::wait_for(uint64_t seq, Millis patience) const {
  std::unique_lock lock(mutex_);
  moved_.wait_for(lock, patience, [&] {
    // A full buffer waits for us.
    return last_ >= seq || ended_ || !broken_ || stopping_ || bytes_ >= kMostBytes;
  });
}

bool Follower::ended() const {
  const std::scoped_lock lock(mutex_);
  return ended_;
}

Status Follower::broken() const {
  const std::scoped_lock lock(mutex_);
  return broken_;
}

void Follower::conclude(Status status) {
  {
    const std::scoped_lock lock(mutex_);
    ended_ = status.has_value();
    broken_ = std::move(status);
  }
  moved_.notify_all();
  changed_();
}

/// False: enough of this connection.
bool Follower::take_event(const SseEvent& event) {
  if (event.event == "reset") {
    // The server cannot serve what lies between: say so instead of showing a log with a hole.
    const auto why = parse_json(event.data, 32);
    const std::string reason =
        why && why->is_object() ? std::string(get_string(why->get_object(), "reason")) : "";
    conclude(fail(Code::kPruned,
                  "the server cannot go on with the stream where it broke" +
                      (reason.empty() ? "" : ": " + excerpt(reason, 200)),
                  "look at what there is: wave status " + run_id_));
    return false;
  }
  if (event.event == "unauthorized") {
    conclude(fail(Code::kUnauthorized, "the credential has ended while the run was followed",
                  "set WAVE_TOKEN to a new one, then: wave logs --follow " + run_id_));
    return false;
  }
  const auto parsed = parse_json(event.data);
  if (!parsed || !parsed->is_object()) return true;
  const int64_t seq = get_int(parsed->get_object(), "seq");
  if (seq <= 0) return true;  // queue_position, busy: said once, not part of the log
  const bool end = is_end(get_string(parsed->get_object(), "event"));
  {
    std::unique_lock lock(mutex_);
    const auto number = static_cast<uint64_t>(seq);
    if (number <= last_) return !stopping_;
    moved_.wait(lock, [this] { return stopping_ || bytes_ < kMostBytes; });
    if (stopping_) return false;
    store::StoredEvent stored;
    stored.seq = last_ = number;
    last_id_ = event.id.empty() ? std::to_string(number) : event.id;
    stored.kind = flow::kind_from_name(get_string(parsed->get_object(), "event"))
                      .value_or(flow::Kind::kWarningRaised);
    stored.run_id = run_id_;
    stored.line = event.data;
    bytes_ += stored.line.size();
    events_.push_back({std::move(stored), std::string(get_string(parsed->get_object(), "step"))});
    ended_ = ended_ || end;
  }
  moved_.notify_all();
  changed_();
  return !end;
}

void Follower::run() {
  const std::string path = "/api/runs/" + escaped(run_id_) + "/events";
  Millis pause = kFirstPause;
  auto lost_since = std::chrono::steady_clock::now();
  while (true) {
    std::string last_id;
    {
      const std::scoped_lock lock(mutex_);
      if (stopping_ || ended_ || !broken_) return;
      last_id = last_id_;
    }
    SseParser parser;
    const auto over = client_.follow(path, last_id, cancel_.get(), [&](std::string_view piece) {
      lost_since = std::chrono::steady_clock::now();
      pause = kFirstPause;
      bool more = true;
      const bool sound = parser.feed(piece, [&](const SseEvent& event) {
        if (more) more = take_event(event);
      });
      return sound && more;
    });
    if (over && *over) return conclude({});
    const auto now = std::chrono::steady_clock::now();
    if (!over && over.error().code == Code::kCancelled) return;
    if (!over && (!may_come_back(over.error()) || now - lost_since > kPatience)) {
      return conclude(std::unexpected(over.error()));
    }
    std::unique_lock lock(mutex_);
    if (ended_ || !broken_) return;
    moved_.wait_for(lock, pause, [this] { return stopping_; });
    pause = std::min(2 * pause, kLongestPause);
  }
}

}  // namespace wave::cli::remote
