#include "server/stream/streams.h"

#include <algorithm>
#include <ranges>

#include "base/log.h"
#include "base/survive.h"
#include "server/stream/control_frames.h"
#include "server/stream/cursor.h"
#include "server/stream/local_streams.h"

namespace wave::server::stream {
namespace {

constexpr int kPageReaders = 2;
constexpr int kPagesInARow = 8;  // of one channel, before others have their turn
constexpr size_t kPumpPage = 1000;
constexpr Millis kRetry{2'000};
constexpr Millis kBusyRetry{10'000};
constexpr Millis kStoreRetry{1'000};

http::Response stream_head() {
  return {.status = 200,
          .headers = {{"Content-Type", "text/event-stream"},
                      {"Cache-Control", "no-store"},
                      {"X-Accel-Buffering", "no"},
                      {"X-Content-Type-Options", "nosniff"}},
          .body = {},
          .close = false};
}

/// Clients that are turned away do not come back all at once.
Millis spread(Millis wait, size_t number) {
  return wait + Millis(static_cast<int64_t>(number * 7919 % static_cast<size_t>(wait.count())));
}

bool is_gone(const Error& error) {
  return error.code == Code::kPruned || error.code == Code::kNotFound;
}

/// Where a stream begins, and what it has to be told because its cursor cannot be served.
struct Place {
  uint64_t number = 0;
  std::string reason, message;  // empty: the cursor is good
  bool from_now = false;        // no event the client could name
};

Place place_of(const std::string& text, const store::LogEnd& end, bool of_all) {
  if (text == "latest" || (of_all && text.empty())) return {.number = end.last, .from_now = true};
  if (text.empty()) return {};
  const uint64_t start = of_all ? end.last : 0;
  const auto cursor = parse_cursor(text);
  if (!cursor) {
    return {.number = start, .reason = "malformed", .message = "the cursor is not one of ours"};
  }
  if (cursor->number == 0) return {};
  if (cursor->epoch != end.epoch) {
    return {.number = start,
            .reason = "epoch",
            .message = "the log was restored from a backup since; ids of before mean nothing"};
  }
  if (cursor->number > end.last) {
    return {.number = start, .reason = "future", .message = "there is no such event yet"};
  }
  if (cursor->number < end.pruned) {
    return {.number = start,
            .reason = "pruned",
            .message = "events behind the cursor have been removed by retention"};
  }
  return {.number = cursor->number};
}

std::string prelude_of(const Hub::Request& request, const Place& place, int64_t epoch) {
  const bool of_all = request.run_id.empty();
  std::string prelude = retry_frame(kRetry);
  const std::string id = format_cursor({.epoch = epoch, .number = place.number}, of_all);
  if (!place.reason.empty()) {
    return prelude + reset_frame({.run_id = request.run_id,
                                  .reason = place.reason,
                                  .message = place.message,
                                  .cursor = request.cursor,
                                  .starts_after = id});
  }
  // A client that is cut off before the first event goes on from here.
  if (place.from_now) prelude += id_frame(id);
  return prelude;
}

}  // namespace

Streams::Streams(store::Store& store, const Clock& clock, Position position,
                 const HubLimits& limits)
    : store_(store),
      clock_(clock),
      position_(std::move(position)),
      limits_(limits),
      heartbeat_(std::make_shared<const std::string>(heartbeat_frame())),
      budget_(limits.cached_bytes) {
  threads_.emplace_back([this] { pump(); });
  for (int i = 0; i < kPageReaders; ++i) threads_.emplace_back([this] { read_pages(); });
  subscription_ = store_.subscribe(
      [this](const std::string& run_id, uint64_t /*last_seq*/) { committed(run_id); });
}

Streams::~Streams() {
  store_.unsubscribe(subscription_);
  {
    const std::scoped_lock lock(pump_mutex_);
    ends_ = true;
  }
  pump_wakes_.notify_all();
  {
    const std::scoped_lock lock(page_mutex_);
    pages_end_ = true;
  }
  page_wakes_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

// --- opening ---

/// Said with 200: any other status would stop an EventSource for good.
Streams::Answer Streams::busy(std::string_view message) const {
  Answer answer{.response = stream_head()};
  answer.response.body = busy_frame(message, spread(kBusyRetry, count()));
  answer.response.close = true;
  return answer;
}

Result<Streams::Answer> Streams::open(const Hub::Request& request) {
  if (stopping_) return busy("the server is going away");
  auto seat = take_seat(request.client);
  if (!seat) return busy("too many streams are open");
  auto start = request.run_id.empty() ? start_of_all(request) : start_of_run(request);
  if (!start && is_gone(start.error())) return fail(std::move(start).error());
  if (!start) {
    log::warning("event streams: {}", full_message(start.error()));
    return busy("the log cannot be read at the moment");
  }
  if (start->nothing_to_come) {
    return Answer{
        .response = {.status = 204, .headers = {{"Cache-Control", "no-store"}}, .body = {}}};
  }
  start->opening.identity = shared(request.identity);
  start->opening.seat = std::move(seat);
  Answer answer{.response = stream_head()};
  answer.response.headers.add("Wave-Stream-End", start->end);
  answer.options = {.heartbeat = heartbeat_, .heartbeat_every = limits_.heartbeat_every};
  answer.make = [this, opening = std::move(start->opening)](http::StreamHandle handle) mutable {
    return std::make_unique<Subscriber>(*this, std::move(opening), handle);
  };
  return answer;
}

Result<Streams::Start> Streams::start_of_run(const Hub::Request& request) {
  WAVE_TRY(const store::LogEnd end, store_.log_end(request.run_id));
  WAVE_TRY(const bool over, is_over(request.run_id, end.last));
  const Place place = place_of(request.cursor, end, false);
  Start start;
  if (over && place.reason.empty() && place.number == end.last) {
    start.nothing_to_come = true;
    return start;
  }
  epoch_ = end.epoch;
  start.opening.channel = follow(request.run_id);
  start.opening.channel->begin_at(end.last, over);
  start.opening.cursor = place.number;
  start.opening.epoch = end.epoch;
  start.opening.prelude = prelude_of(request, place, end.epoch);
  start.end = format_cursor({.epoch = end.epoch, .number = end.last}, false);
  look_at(request.run_id);  // what came between
  if (!over) queue_changed();
  return start;
}

Result<Streams::Start> Streams::start_of_all(const Hub::Request& request) {
  WAVE_TRY(const store::LogEnd end, store_.log_end({}));
  const Place place = place_of(request.cursor, end, true);
  epoch_ = end.epoch;
  Start start;
  start.opening.channel = follow({});
  start.opening.channel->begin_at(end.last, false);
  start.opening.cursor = place.number;
  start.opening.pruned = end.pruned;
  start.opening.epoch = end.epoch;
  start.opening.prelude = prelude_of(request, place, end.epoch);
  start.end = format_cursor({.epoch = end.epoch, .number = end.last}, true);
  if (!request.pipeline.empty() || !request.runs.empty()) {
    start.opening.filter = std::make_unique<Filter>(request.pipeline, request.runs);
    std::ranges::sort(start.opening.filter->runs);
  }
  look_at({});
  return start;
}

Result<bool> Streams::is_over(const std::string& run_id, uint64_t last) {
  if (last == 0) return false;
  WAVE_TRY(const auto events, store_.events(run_id, {.after = last - 1, .limit = 1}));
  return !events.empty() && ends_run(events.front().kind);
}

std::unique_ptr<Seat> Streams::take_seat(const std::string& client) {
  const std::scoped_lock lock(mutex_);
  if (seats_ >= limits_.streams) return nullptr;
  if (!client.empty()) {
    size_t& of_client = seats_by_client_[client];
    if (of_client >= limits_.streams_per_client) return nullptr;
    ++of_client;
  }
  ++seats_;
  return std::make_unique<Seat>(*this, client);
}

void Streams::give_back_seat(const std::string& client) {
  const std::scoped_lock lock(mutex_);
  --seats_;
  const auto found = seats_by_client_.find(client);
  if (found != seats_by_client_.end() && --found->second == 0) seats_by_client_.erase(found);
}

size_t Streams::count() const {
  const std::scoped_lock lock(mutex_);
  return seats_;
}

/// Ten thousand streams of one caller keep one copy.
std::shared_ptr<const auth::Identity> Streams::shared(const auth::Identity& identity) {
  const std::scoped_lock lock(mutex_);
  if (auto last = last_identity_.lock();
      last && last->subject == identity.subject && last->role == identity.role &&
      last->method == identity.method && last->token_id == identity.token_id &&
      last->expires_at == identity.expires_at) {
    return last;
  }
  auto made = std::make_shared<const auth::Identity>(identity);
  last_identity_ = made;
  return made;
}

std::shared_ptr<Channel> Streams::follow(const std::string& run_id) {
  const std::scoped_lock lock(mutex_);
  if (channels_.size() >= sweep_at_) {
    std::erase_if(channels_, [](const auto& named) { return named.second.expired(); });
    sweep_at_ = std::max<size_t>(256, 2 * channels_.size());
  }
  std::weak_ptr<Channel>& known = channels_[run_id];
  auto channel = known.lock();
  if (!channel) {
    channel = std::make_shared<Channel>(run_id, budget_);
    known = channel;
  }
  return channel;
}

// --- subscribers ---

std::shared_ptr<LocalStreams> Streams::join(Subscriber& subscriber, http::Reactor& reactor) {
  const std::scoped_lock lock(mutex_);
  auto& local = locals_[&reactor];
  if (!local) local = std::make_shared<LocalStreams>(*this, reactor);
  if (local->add(subscriber)) followers_[subscriber.channel().get()].push_back(local);
  if (subscriber.identity().expires_at) ++expiring_;
  return local;
}

void Streams::leave(Subscriber& subscriber, const std::shared_ptr<LocalStreams>& local) {
  if (subscriber.identity().expires_at) --expiring_;
  if (!local->remove(subscriber)) return;
  const std::scoped_lock lock(mutex_);
  const auto found = followers_.find(subscriber.channel().get());
  std::erase(found->second, local);
  if (found->second.empty()) followers_.erase(found);
  if (local->empty()) locals_.erase(&local->reactor());
}

/// Reactors whose streams have all gone may be gone themselves.
void Streams::post_to(const std::vector<std::shared_ptr<LocalStreams>>& locals,
                      const std::function<void(LocalStreams&)>& work) {
  const std::scoped_lock lock(mutex_);
  for (const auto& local : locals) {
    const auto found = locals_.find(&local->reactor());
    if (found == locals_.end() || found->second != local) continue;
    local->reactor().post([local, work] { work(*local); });
  }
}

template <typename Work>
void Streams::post_to_all(Work work) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [reactor, local] : locals_) {
    reactor->post([local, work] { work(*local); });
  }
}

void Streams::drop_if(std::function<bool(const auth::Identity&)> gone) {
  post_to_all([gone = std::move(gone)](LocalStreams& local) { local.drop_if(gone); });
}

void Streams::shut_down() {
  stopping_ = true;
  post_to_all([](LocalStreams& local) { local.wake_all(); });
}

void Streams::queue_changed() {
  const std::scoped_lock lock(pump_mutex_);
  queue_changed_ = true;
  pump_wakes_.notify_one();
}

// --- the pump ---

/// On a thread of the store's. An empty id: something of another process.
void Streams::committed(const std::string& run_id) {
  if (!run_id.empty()) return look_at(run_id);
  const std::scoped_lock lock(pump_mutex_);
  look_ = true;
  pump_wakes_.notify_one();
}

/// An empty id: the log over all runs, which the pump always looks at.
void Streams::look_at(const std::string& run_id) {
  const std::scoped_lock lock(pump_mutex_);
  dirty_.insert(run_id);
  pump_wakes_.notify_one();
}

std::vector<std::shared_ptr<Channel>> Streams::followed() {
  const std::scoped_lock lock(mutex_);
  std::vector<std::shared_ptr<Channel>> all;
  for (const auto& [run_id, channel] : channels_) {
    if (auto alive = channel.lock()) all.push_back(std::move(alive));
  }
  return all;
}

std::vector<std::shared_ptr<Channel>> Streams::followed(const std::set<std::string>& dirty) {
  const std::scoped_lock lock(mutex_);
  std::vector<std::shared_ptr<Channel>> found;
  const auto add = [&](const std::string& run_id) {
    const auto known = channels_.find(run_id);
    if (known == channels_.end()) return;
    if (auto alive = known->second.lock()) found.push_back(std::move(alive));
  };
  for (const std::string& run_id : dirty) {
    if (!run_id.empty()) add(run_id);
  }
  add({});
  return found;
}

void Streams::pump() {
  MonoTime next_tick = clock_.mono() + limits_.tick;
  while (true) {
    std::set<std::string> dirty;
    bool look = false;
    {
      std::unique_lock lock(pump_mutex_);
      const auto patience = std::max(next_tick - clock_.mono(), MonoTime::duration::zero());
      pump_wakes_.wait_for(lock, patience, [this] { return ends_ || look_ || !dirty_.empty(); });
      if (ends_) return;
      dirty.swap(dirty_);
      look = std::exchange(look_, false);
    }
    const bool looked = survive("event streams", [&] { look_around(look, dirty); });
    if (!looked) retry_ = true;  // with the next tick, at everything
    if (clock_.mono() < next_tick) continue;
    next_tick = clock_.mono() + limits_.tick;
    if (!survive("event streams", [this] { tick(); })) retry_ = true;
  }
}

/// Tells those who follow them what is new in the channels that changed.
void Streams::look_around(bool at_all, const std::set<std::string>& dirty) {
  if (!at_all && dirty.empty()) return;
  std::vector<std::shared_ptr<Channel>> changed;
  for (auto& channel : at_all ? followed() : followed(dirty)) {
    if (catch_up(*channel)) changed.push_back(std::move(channel));
  }
  announce(changed);
}
Result<std::vector<store::StoredEvent>> Streams::read_events(const Channel& channel, uint64_t after,
                                                             size_t limit) {
  if (channel.of_all()) return store_.events_since(static_cast<int64_t>(after), limit);
  return store_.events(channel.run_id(), {.after = after, .limit = limit});
}

/// Reads what is new in a channel; whether there was something to tell.
bool Streams::catch_up(Channel& channel) {
  bool news = false;
  for (int page = 0; page < kPagesInARow; ++page) {
    const auto head = channel.head();
    if (!head) return news;  // whoever opens it comes back when it is known
    const auto events = read_events(channel, *head, kPumpPage);
    if (!events && is_gone(events.error())) {
      channel.mark_gone();
      return true;
    }
    if (!events) {
      log::warning("event streams: {}", full_message(events.error()));
      retry_ = true;  // with the next tick
      return news;
    }
    if (events->empty()) return news;
    const auto chunks = make_chunks(*events, *head, epoch_, channel.of_all());
    for (const ChunkPtr& chunk : chunks) channel.keep(chunk);
    channel.advance(chunks.back()->last, chunks.back()->is_end);
    news = moved_ = true;
    if (events->size() < kPumpPage) return news;
  }
  look_at(channel.run_id());
  return news;
}

/// One post per reactor, whatever has changed.
void Streams::announce(const std::vector<std::shared_ptr<Channel>>& changed) {
  if (changed.empty()) return;
  const std::scoped_lock lock(mutex_);
  std::map<LocalStreams*, std::vector<std::shared_ptr<Channel>>> by_reactor;
  for (const auto& channel : changed) {
    const auto found = followers_.find(channel.get());
    if (found == followers_.end()) continue;
    for (const auto& local : found->second) by_reactor[local.get()].push_back(channel);
  }
  for (auto& [local, channels] : by_reactor) {
    local->reactor().post(
        [self = local->shared_from_this(), news = std::move(channels)] { self->wake(news); });
  }
}

void Streams::tick() {
  bool queue_moved = false;
  {
    const std::scoped_lock lock(pump_mutex_);
    queue_moved = std::exchange(queue_changed_, false);
  }
  if (queue_moved) update_queue_positions();
  if (std::exchange(retry_, false)) {
    committed({});
    post_to_all([](LocalStreams& local) { local.wake_all(); });  // who was not told then
  }
  if (expiring_ > 0) {
    post_to_all([now = clock_.wall()](LocalStreams& local) { local.end_expired(now); });
  }
  if (!std::exchange(moved_, false)) return;
  const auto end = store_.log_end({});
  if (end && end->last != shown_) {
    shown_ = end->last;
    store_.note_shown(shown_);
  }
}

void Streams::update_queue_positions() {
  std::vector<std::shared_ptr<Channel>> changed;
  for (auto& channel : followed()) {
    if (channel->of_all()) continue;
    if (channel->set_queue_position(position_(channel->run_id()))) {
      changed.push_back(std::move(channel));
    }
  }
  announce(changed);
}

// --- pages ---

void Streams::request_page(std::shared_ptr<Channel> channel, uint64_t after,
                           std::shared_ptr<LocalStreams> local) {
  const std::scoped_lock lock(page_mutex_);
  const auto [waiters, is_new] = page_waiters_.try_emplace({channel.get(), after});
  if (std::ranges::find(waiters->second, local) == waiters->second.end()) {
    waiters->second.push_back(std::move(local));
  }
  if (!is_new) return;
  pages_.push_back({std::move(channel), after});
  page_wakes_.notify_one();
}

void Streams::read_pages() {
  while (true) {
    Page page;
    {
      std::unique_lock lock(page_mutex_);
      page_wakes_.wait(lock, [this] { return pages_end_ || !pages_.empty(); });
      if (pages_end_) return;
      page = std::move(pages_.front());
      pages_.pop_front();
    }
    std::optional<ChunkPtr> read;
    survive("event streams", [&] { read = read_page(*page.channel, page.after); });
    std::vector<std::shared_ptr<LocalStreams>> waiters;
    {
      std::unique_lock lock(page_mutex_);
      if (!read) page_wakes_.wait_for(lock, kStoreRetry, [this] { return pages_end_; });
      const auto found = page_waiters_.find({page.channel.get(), page.after});
      waiters = std::move(found->second);
      page_waiters_.erase(found);
    }
    const auto tell = [&] {
      post_to(waiters,
              [channel = page.channel, after = page.after, first = read.value_or(nullptr)](
                  LocalStreams& local) { local.page_arrived(channel.get(), after, first); });
    };
    while (!survive("event streams", tell)) {
      std::unique_lock lock(page_mutex_);
      if (page_wakes_.wait_for(lock, kStoreRetry, [this] { return pages_end_; })) return;
    }
  }
}

/// The chunk behind `after`, or null when there is none any more. Nothing: the store failed, and it
/// should be tried again later.
std::optional<ChunkPtr> Streams::read_page(Channel& channel, uint64_t after) {
  const auto end = channel.of_all() ? store_.log_end({}) : Result<store::LogEnd>{};
  const auto events = read_events(channel, after, limits_.page_events);
  if (!events || !end) {
    const Error& error = events ? end.error() : events.error();
    if (!channel.of_all() && is_gone(error)) {
      channel.mark_gone();
      return nullptr;
    }
    log::warning("event streams: {}", full_message(error));
    return std::nullopt;
  }
  uint64_t pruned = 0;
  if (channel.of_all()) {
    // Asked after the events were read: what was removed before is known now.
    const auto now = store_.log_end({});
    if (!now) return std::nullopt;
    pruned = now->pruned;
  }
  const auto chunks = make_chunks(*events, after, epoch_, channel.of_all(), pruned);
  // The last one first: when there is little room, what is wanted first stays longest.
  for (const ChunkPtr& chunk : std::views::reverse(chunks)) channel.keep(chunk);
  if (!chunks.empty()) return chunks.front();
  if (!channel.of_all()) {
    log::error("event streams: run {} has no events behind {}", channel.run_id(), after);
    channel.mark_gone();
    return nullptr;
  }
  // Nothing is left up to the end: a chunk of nothing takes its followers there.
  auto nothing = std::make_shared<Chunk>();
  nothing->after = after;
  nothing->last = std::max(end->last, after + 1);
  nothing->pruned = pruned;
  channel.keep(nothing);
  return nothing;
}

}  // namespace wave::server::stream
