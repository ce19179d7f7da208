#include "server/metrics/figures.h"

#include "flow/state.h"
#include "http/server.h"
#include "server/disk/disk_watch.h"
#include "server/queue/supervisor.h"
#include "server/stream/hub.h"

namespace wave::server::metrics {
namespace {

using enum Type;

void one(Exposition& out, std::string_view name, Type type, std::string_view help, double value) {
  out.family(name, type, help);
  out.sample({}, value);
}

void write_disk_figures(Exposition& out, const disk::DiskHealth& disk) {
  one(out, "wave_disk_free_bytes", kGauge,
      "Room left where the project and the state lie, the lesser of both.",
      static_cast<double>(disk.room.free_bytes));
  if (disk.room.free_inodes) {
    one(out, "wave_disk_free_inodes", kGauge, "Inodes left there.",
        static_cast<double>(*disk.room.free_inodes));
  }
  one(out, "wave_disk_ready", kGauge, "0 while the disk keeps new work from starting.",
      disk.trouble ? 0 : 1);
  one(out, "wave_disk_probe_seconds", kGauge, "How long the last small write with its sync took.",
      std::chrono::duration<double>(disk.probe_took).count());
}

}  // namespace

void write_store_figures(Exposition& out, store::Store& store) {
  double errors = 0;
  if (const auto figures = store.figures()) {
    out.family("wave_runs", kGauge, "Runs in the store, by status.");
    for (const auto& [status, count] : figures->runs) {
      out.sample({{"status", status}}, static_cast<double>(count));
    }
    one(out, "wave_events_appended_total", kCounter,
        "Events that were ever stored, by any process.", static_cast<double>(figures->events));
    one(out, "wave_gates_waiting", kGauge, "Gates that wait for a decision.",
        static_cast<double>(figures->waiting_gates));
  } else {
    ++errors;
  }
  one(out, "wave_scrape_errors", kGauge, "Sources of figures that could not be read just now.",
      errors);
}

void write_server_figures(Exposition& out, const Services& services) {
  if (const auto view = services.queue.view()) {
    one(out, "wave_queue_slots", kGauge, "Runs that may run at a time.", view->max_concurrent);
    one(out, "wave_queue_slots_used", kGauge, "Runs that hold a slot.",
        static_cast<double>(view->running.size()));
    one(out, "wave_queue_length", kGauge, "Runs that wait for a slot.",
        static_cast<double>(view->waiting.size()));
    one(out, "wave_queue_parked", kGauge, "Runs that wait for people or time, without a slot.",
        static_cast<double>(view->parked.size()));
    one(out, "wave_queue_draining", kGauge, "1 while nothing new starts.", view->draining ? 1 : 0);
  }
  if (services.disk != nullptr) write_disk_figures(out, services.disk->health());
  one(out, "wave_stream_subscribers", kGauge, "Open event streams.",
      static_cast<double>(services.streams.subscribers()));
  if (services.http == nullptr) return;
  const http::ServerStats stats = services.http->stats();
  const auto whole = [](uint64_t count) { return static_cast<double>(count); };
  one(out, "wave_http_connections", kGauge, "Open connections.", whole(stats.connections));
  one(out, "wave_http_streams", kGauge, "Connections that have become streams.",
      whole(stats.streams));
  one(out, "wave_http_connections_accepted_total", kCounter, "Connections accepted.",
      whole(stats.accepted));
  one(out, "wave_http_connections_refused_total", kCounter,
      "Connections closed at once, because there were too many.", whole(stats.refused));
  one(out, "wave_http_malformed_total", kCounter, "Requests that were no HTTP.",
      whole(stats.malformed));
  out.family("wave_http_waiting_bytes", kGauge, "Bytes of answers that wait for their clients.");
  out.sample({{"place", "memory"}}, whole(stats.windows));
  out.sample({{"place", "file"}}, whole(stats.spooled));
  one(out, "wave_http_sent_bytes_total", kCounter, "Bytes sent.", whole(stats.bytes_out));
}

}  // namespace wave::server::metrics
