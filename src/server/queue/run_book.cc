#include "server/queue/run_book.h"

#include <fmt/core.h>

namespace wave::server::queue {
namespace {

std::string why_parked(const std::string& reason) {
  if (reason == "gate") return "waits for a decision at a gate";
  if (reason == "timer") return "waits for a timer";
  if (reason == "disk") return "waits until the disk takes files again";
  if (reason == "rate_limit") return "waits until the service takes requests again";
  return "waits";
}

std::string why_waiting(const BookEntry& entry, int max_concurrent, bool draining,
                        const std::string& held) {
  if (!held.empty()) return "waits for the disk: " + held;
  if (draining && !entry.resuming) return "the server is draining: nothing new starts";
  return fmt::format("all of {} slots are taken, or others come before it", max_concurrent);
}

QueueEntry seen(const std::string& run_id, const BookEntry& entry, std::string_view status,
                std::string why) {
  QueueEntry shown;
  shown.run_id = run_id;
  shown.pipeline = entry.pipeline;
  shown.actor = entry.actor;
  shown.status = status;
  shown.resuming = entry.resuming && entry.place == Place::kWaiting;
  shown.why = std::move(why);
  shown.since = entry.since;
  return shown;
}

}  // namespace

const BookEntry* RunBook::find(const std::string& run_id) const {
  const auto found = entries_.find(run_id);
  return found == entries_.end() ? nullptr : &found->second;
}

void RunBook::erase(const std::string& run_id) {
  const auto found = entries_.find(run_id);
  if (found == entries_.end()) return;
  leave(run_id, found->second);
  entries_.erase(found);
}

void RunBook::enter(const std::string& run_id, const BookEntry& entry) {
  if (entry.place == Place::kWaiting) order_.insert({key(entry), run_id});
  if (entry.place == Place::kRunning) ++running_;
  if (entry.place == Place::kElsewhere) ++elsewhere_;
}

void RunBook::leave(const std::string& run_id, const BookEntry& entry) {
  if (entry.place == Place::kRunning) --running_;
  if (entry.place == Place::kElsewhere) --elsewhere_;
  if (entry.place != Place::kWaiting) return;
  const auto at = order_.find(key(entry));
  if (at != order_.end() && at->second == run_id) order_.erase(at);
}

std::optional<int> RunBook::position(const std::string& run_id) const {
  const BookEntry* entry = find(run_id);
  if (entry == nullptr || entry->place != Place::kWaiting) return std::nullopt;
  return static_cast<int>(order_.order_of_key(key(*entry))) + 1;
}

std::optional<std::string> RunBook::next(bool with_new) const {
  for (const auto& [key, run_id] : order_) {
    const BookEntry& entry = entries_.at(run_id);
    if (!entry.resuming && !with_new) return std::nullopt;
    // One that is being taken up asks for itself in a moment.
    if (entry.adopting || (entry.owned && !entry.granted)) continue;
    return run_id;
  }
  return std::nullopt;
}

QueueView make_view(const RunBook& book, int max_concurrent, bool draining,
                    const std::string& held) {
  QueueView view;
  view.max_concurrent = max_concurrent;
  view.draining = draining;
  for (const auto& [run_id, entry] : book.entries()) {
    if (entry.place == Place::kRunning) {
      view.running.push_back(seen(run_id, entry, "running", "its steps run"));
    } else if (entry.place == Place::kParked) {
      view.parked.push_back(seen(run_id, entry, "waiting", why_parked(entry.reason)));
    } else if (entry.place == Place::kElsewhere) {
      view.elsewhere.push_back(seen(run_id, entry, "running", "a command line drives it"));
    }
  }
  book.visit_waiting([&](const std::string& run_id, const BookEntry& entry) {
    QueueEntry shown =
        seen(run_id, entry, "queued", why_waiting(entry, max_concurrent, draining, held));
    shown.position = static_cast<int>(view.waiting.size()) + 1;
    view.waiting.push_back(std::move(shown));
  });
  return view;
}

}  // namespace wave::server::queue
