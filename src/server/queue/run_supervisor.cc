#include "server/queue/run_supervisor.h"

#include <algorithm>

#include "base/log.h"
#include "base/system_fault.h"

namespace wave::server::queue {
namespace {

constexpr size_t kTakenUpAtOnce = 64;
constexpr Millis kLookInterval{2'000};  // at locks, for owners that died
constexpr Millis kScanSpacing{250};     // between two full looks at the store
constexpr Millis kFullScanInterval{30'000};
constexpr Millis kPauseAfterFailure{1'000};

}  // namespace

Result<std::unique_ptr<SupervisorControl>> make_supervisor(Loop& loop, store::Store& store,
                                                           const store::StatePaths& paths,
                                                           engine::Engine& engine,
                                                           int max_concurrent) {
  if (max_concurrent < 1) {
    return fail(Code::kInvalidManifest, "max_concurrent must be at least 1",
                "to start nothing, drain");
  }
  return std::make_unique<RunSupervisor>(loop, store, paths, engine, max_concurrent);
}

RunSupervisor::RunSupervisor(Loop& loop, store::Store& store, store::StatePaths paths,
                             engine::Engine& engine, int max_concurrent)
    : loop_(loop),
      store_(store),
      paths_(std::move(paths)),
      engine_(engine),
      max_concurrent_(max_concurrent) {
  engine_.use_slots(this);
}

RunSupervisor::~RunSupervisor() {
  stop();
  if (subscription_ != 0) store_.unsubscribe(subscription_);
  engine_.abandon();  // its owners know this object
  engine_.use_slots(nullptr);
}

Status RunSupervisor::start() {
  started_ = true;
  subscription_ = store_.subscribe(
      [this](const std::string& run_id, uint64_t /*last_seq*/) { store_changed(run_id); });
  WAVE_TRY(const std::vector<ScannedRun> runs, scan_runs(store_, paths_, 0, {}));
  for (const ScannedRun& run : runs) note(run);
  last_scan_ = loop_.clock().mono();
  look_again_later();
  schedule(kLookAtCommands | kGiveSlots);
  return {};
}

void RunSupervisor::stop() {
  stopped_ = true;
  take_up_.clear();
  if (timer_ != 0) loop_.cancel_timer(std::exchange(timer_, 0));
}

// --- what others see and say ---

std::shared_ptr<const QueueView> RunSupervisor::view() const {
  const std::scoped_lock lock(mutex_);
  if (view_ == nullptr) {
    view_ = std::make_shared<const QueueView>(make_view(book_, max_concurrent_, draining_, held_));
  }
  return view_;
}

std::optional<int> RunSupervisor::position(const std::string& run_id) const {
  const std::scoped_lock lock(mutex_);
  std::optional<int> place = book_.position(run_id);
  if (!place) {
    const auto fresh = std::ranges::find(fresh_, run_id);
    if (fresh == fresh_.end() || book_.find(run_id) != nullptr) return std::nullopt;
    place = static_cast<int>(book_.waiting()) + static_cast<int>(fresh - fresh_.begin()) + 1;
  }
  // Who is about to get a free slot does not wait.
  const int free = max_concurrent_ - static_cast<int>(book_.running());
  if (!draining_ && held_.empty() && *place <= free) return std::nullopt;
  return place;
}

void RunSupervisor::submitted(const std::string& run_id) {
  {
    const std::scoped_lock lock(mutex_);
    fresh_.push_back(run_id);
  }
  schedule(kReadNews | kGiveSlots);
}

void RunSupervisor::set_max_concurrent(int max_concurrent) {
  {
    const std::scoped_lock lock(mutex_);
    max_concurrent_ = std::max(max_concurrent, 1);
    touch();
  }
  schedule(kGiveSlots);
}

void RunSupervisor::set_draining(bool draining) {
  {
    const std::scoped_lock lock(mutex_);
    draining_ = draining;
    touch();
  }
  schedule(kGiveSlots);
}

// --- the engine's questions ---

void RunSupervisor::acquire(const std::string& run_id, bool resuming, Granted granted) {
  bool at_once = false;
  {
    const std::scoped_lock lock(mutex_);
    touch();
    book_.change(run_id, [&](BookEntry& entry) {
      entry.owned = true;
      entry.resuming = resuming;
      at_once = entry.place == Place::kRunning;  // it was taken up because a slot was free
      if (at_once) return;
      if (entry.place != Place::kWaiting) entry.since = loop_.clock().wall();
      entry.place = Place::kWaiting;
      entry.granted = std::move(granted);
    });
  }
  if (at_once) return granted();
  schedule(kGiveSlots);
}

void RunSupervisor::occupy(const std::string& run_id) {
  const std::scoped_lock lock(mutex_);
  touch();
  book_.change(run_id, [&](BookEntry& entry) {
    entry.owned = true;
    if (entry.place != Place::kRunning) entry.since = loop_.clock().wall();
    entry.place = Place::kRunning;
  });
}

void RunSupervisor::release(const std::string& run_id, const std::string& why) {
  {
    const std::scoped_lock lock(mutex_);
    if (book_.find(run_id) == nullptr) return;
    touch();
    book_.change(run_id, [&](BookEntry& entry) {
      entry.granted = nullptr;
      entry.reason = why;
      if (entry.place != Place::kParked) entry.since = loop_.clock().wall();
      entry.place = Place::kParked;
    });
  }
  schedule(kGiveSlots);
}

// --- the turn ---

void RunSupervisor::schedule(unsigned work) {
  if (todo_.fetch_or(work) != 0) return;  // a turn is on its way already
  loop_.post([this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) this->work();
  });
}

void RunSupervisor::work() {
  const unsigned todo = todo_.exchange(0);
  if (!started_ || stopped_) return;
  if ((todo & kReadNews) != 0) read_news();
  if ((todo & kLookAtCommands) != 0) look_at_commands();
  if ((todo & kScanAll) != 0) scan_all();
  take_up_some();
  give_slots();
  bool is_news = false;
  {
    const std::scoped_lock lock(mutex_);
    is_news = std::exchange(news_, false);
  }
  if (is_news && changed_) changed_();
}

void RunSupervisor::touch() {
  view_.reset();
  news_ = true;
}

// On a thread of the store's.
void RunSupervisor::store_changed(const std::string& run_id) {
  const bool foreign = run_id.empty();
  schedule(foreign ? kReadNews | kLookAtCommands | kScanAll : kLookAtCommands);
}

void RunSupervisor::look_again_later() {
  timer_ = loop_.call_at(loop_.clock().mono() + kLookInterval, [this] {
    timer_ = 0;
    bool any_elsewhere = false;
    {
      const std::scoped_lock lock(mutex_);
      any_elsewhere = book_.elsewhere() > 0;
    }
    const bool due = loop_.clock().mono() - last_scan_ > kFullScanInterval;
    schedule(kLookAtCommands | kGiveSlots | (any_elsewhere || due ? kScanAll | kReadNews : 0U));
    look_again_later();
  });
}

// --- what there is ---

void RunSupervisor::read_news() {
  std::vector<std::string> fresh;
  {
    const std::scoped_lock lock(mutex_);
    fresh = fresh_;
  }
  const auto runs = scan_runs(store_, paths_, last_id_, {});
  if (!runs) {
    log::warning("the queue cannot be read: {}", full_message(runs.error()));
    return;  // the next look finds them
  }
  for (const ScannedRun& run : *runs) note(run);
  {
    const std::scoped_lock lock(mutex_);
    fresh_.erase(fresh_.begin(), fresh_.begin() + static_cast<std::ptrdiff_t>(fresh.size()));
  }
  for (const std::string& run_id : fresh) {
    const BookEntry* entry = book_.find(run_id);
    if (entry != nullptr && entry->place == Place::kStopped && !entry->adopting) to_take_up(run_id);
  }
}

/// Puts a run into its place, and on the way to being taken up where that is ours to do.
void RunSupervisor::note(const ScannedRun& scanned) {
  const store::LiveRun& run = scanned.run;
  last_id_ = std::max(last_id_, run.id);
  const BookEntry* known = book_.find(run.run_id);
  if (known != nullptr && (known->owned || known->adopting)) return;
  Place place = Place::kWaiting;
  const bool draining = [this] {
    const std::scoped_lock lock(mutex_);
    return draining_;
  }();
  if (scanned.held) {
    place = Place::kElsewhere;
  } else if (run.waiting_reason == "shutdown" && !draining) {
    place = Place::kParked;
  } else if (flow::is_stopped(run.waiting_reason)) {
    place = Place::kStopped;
  } else if (run.status == "running") {
    place = Place::kRunning;
  } else if (run.status == "waiting") {
    place = Place::kParked;
  }
  {
    const std::scoped_lock lock(mutex_);
    touch();
    book_.change(run.run_id, [&](BookEntry& entry) {
      entry.id = run.id;
      entry.pipeline = run.pipeline;
      entry.actor = run.actor;
      entry.reason = run.waiting_reason;
      entry.resuming = run.resuming;
      if (!entry.since || entry.place != place) entry.since = run.queued_at;
      entry.place = place;
    });
  }
  const bool interrupted = place == Place::kRunning || place == Place::kParked ||
                           (place == Place::kWaiting && run.resuming);
  if (interrupted) to_take_up(run.run_id);
}

std::set<std::string> RunSupervisor::ours() const {
  std::set<std::string> ids;
  for (const auto& [run_id, entry] : book_.entries()) {
    if (entry.owned) ids.insert(run_id);
  }
  return ids;
}

/// Looks at all live runs and their locks, away from the loop: there may be many.
void RunSupervisor::scan_all() {
  if (scanning_) return;
  const MonoTime now = loop_.clock().mono();
  const MonoTime earliest = last_scan_ + kScanSpacing;
  scanning_ = true;
  auto scan = [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    if (stopped_) {
      scanning_ = false;
      return;
    }
    last_scan_ = loop_.clock().mono();
    auto found = std::make_shared<Result<std::vector<ScannedRun>>>();
    loop_.run_blocking([found, ids = ours(), &store = store_,
                        paths = paths_] { *found = scan_runs(store, paths, 0, ids); },
                       [this, alive, found, known_before = last_id_] {
                         if (alive.expired()) return;
                         scanning_ = false;
                         if (stopped_) return;
                         if (!*found) {
                           log::warning("the queue cannot be read: {}",
                                        full_message(found->error()));
                           return;
                         }
                         for (const ScannedRun& run : **found) note(run);
                         forget_ended(**found, known_before);
                         schedule(kGiveSlots);
                       });
  };
  if (now >= earliest) return scan();
  loop_.call_at(earliest, std::move(scan));
}

/// Others end runs as well: a command line that cancelled one, for example.
void RunSupervisor::forget_ended(const std::vector<ScannedRun>& scanned, int64_t known_before) {
  std::set<std::string> live;
  for (const ScannedRun& run : scanned) live.insert(run.run.run_id);
  std::vector<std::string> gone;
  for (const auto& [run_id, entry] : book_.entries()) {
    const bool others = !entry.owned && !entry.adopting && entry.id <= known_before;
    if (others && !live.contains(run_id)) gone.push_back(run_id);
  }
  const std::scoped_lock lock(mutex_);
  if (!gone.empty()) touch();
  for (const std::string& run_id : gone) book_.erase(run_id);
}

/// Owners consume what was asked of their runs; a run in the queue has none, and is taken up for
/// its cancel alone: without a slot, since nothing of it will run (promise Q5).
void RunSupervisor::look_at_commands() {
  const auto asked = store_.asked_runs();
  if (!asked) {
    log::warning("commands cannot be read: {}", full_message(asked.error()));
    return;
  }
  for (const store::Asked& run : *asked) {
    if (engine_.owns(run.run_id)) {
      engine_.poll_commands(run.run_id);
      continue;
    }
    const BookEntry* entry = book_.find(run.run_id);
    const bool is_ours = entry != nullptr && !entry->adopting && entry->place != Place::kElsewhere;
    if (is_ours && run.cancel) to_take_up(run.run_id);
  }
}

// --- taking up ---

void RunSupervisor::to_take_up(const std::string& run_id) {
  {
    const std::scoped_lock lock(mutex_);
    book_.change(run_id, [](BookEntry& entry) { entry.adopting = true; });
  }
  take_up_.push_back(run_id);
}

void RunSupervisor::take_up_some() {
  if (take_up_.empty() || loop_.clock().mono() < paused_until_) return;
  std::vector<std::string> some;
  while (!take_up_.empty() && some.size() < kTakenUpAtOnce) {
    some.push_back(std::move(take_up_.front()));
    take_up_.pop_front();
  }
  adopt(some);
  if (!take_up_.empty()) schedule(kGiveSlots);
}

/// Whether the disk, say, has no room for new work. Those that wait keep their places.
bool RunSupervisor::is_held() {
  if (!reason_to_hold_) return false;
  std::string reason = reason_to_hold_().value_or(std::string());
  const std::scoped_lock lock(mutex_);
  if (reason != held_) {
    held_ = std::move(reason);
    touch();
  }
  return !held_.empty();
}

void RunSupervisor::give_slots() {
  if (loop_.clock().mono() < paused_until_ || is_held()) return;
  std::vector<Granted> granted;
  std::vector<std::string> starting;
  {
    const std::scoped_lock lock(mutex_);
    while (static_cast<int>(book_.running()) < max_concurrent_ &&
           starting.size() < kTakenUpAtOnce) {
      const auto next = book_.next(!draining_);
      if (!next) break;
      touch();
      book_.change(*next, [&](BookEntry& entry) {
        entry.place = Place::kRunning;
        entry.since = loop_.clock().wall();
        if (entry.granted) {
          granted.push_back(std::exchange(entry.granted, nullptr));
        } else {
          entry.adopting = true;
          starting.push_back(*next);
        }
      });
    }
  }
  for (const Granted& callback : granted) callback();
  if (starting.empty()) return;
  adopt(starting);
  if (starting.size() == kTakenUpAtOnce) schedule(kGiveSlots);
}

void RunSupervisor::adopt(const std::vector<std::string>& run_ids) {
  const std::vector<Status> outcomes = engine_.adopt_all(
      run_ids,
      [this](const std::string& run_id, const engine::Engine::Ended& how) { ended(run_id, how); });
  for (size_t i = 0; i < run_ids.size(); ++i) {
    const std::string& run_id = run_ids[i];
    if (!outcomes[i]) {
      not_adopted(run_id, outcomes[i].error());
      continue;
    }
    const std::scoped_lock lock(mutex_);
    if (book_.find(run_id) == nullptr) continue;  // taken up and ended at once
    book_.change(run_id, [&](BookEntry& entry) {
      entry.adopting = false;
      entry.owned = engine_.owns(run_id);
    });
  }
}

void RunSupervisor::not_adopted(const std::string& run_id, const Error& error) {
  const bool held = error.code == Code::kRunLocked;
  const bool full = is_shortage(error) || error.code == Code::kStoreBusy ||
                    error.code == Code::kStore || error.code == Code::kIo;
  if (!held && !full && error.code != Code::kConflict) {
    log::error("run {}: {}", run_id, full_message(error));  // quarantined, or gone
  }
  {
    const std::scoped_lock lock(mutex_);
    touch();
    if (held) {
      book_.change(run_id, [](BookEntry& entry) {
        entry.adopting = false;
        entry.place = Place::kElsewhere;
      });
      return;
    }
    book_.erase(run_id);
  }
  if (!full) return;
  // It is still there, as it was: looked at again when the store may have recovered.
  log::warning("run {} cannot be taken up yet: {}", run_id, full_message(error));
  paused_until_ = loop_.clock().mono() + kPauseAfterFailure;
  schedule(kScanAll);
}

void RunSupervisor::ended(const std::string& run_id, const engine::Engine::Ended& how) {
  {
    const std::scoped_lock lock(mutex_);
    touch();
    const bool taken_away = !how.quarantine && how.quarantine.error().code == Code::kRunLocked;
    if (taken_away || flow::is_stopped(how.waiting_reason)) {
      book_.change(run_id, [&](BookEntry& entry) {
        entry.owned = entry.adopting = false;
        entry.place = taken_away ? Place::kElsewhere : Place::kStopped;
      });
    } else {
      book_.erase(run_id);
    }
  }
  schedule(kGiveSlots);
}

}  // namespace wave::server::queue
