#include "store/sqlite/figures.h"

#include "store/sqlite/batch.h"

namespace wave::store::sqlite {

Result<Figures> read_figures(Database& database) {
  WAVE_TRY(const ReadTransaction transaction, ReadTransaction::begin(database));
  Figures figures;
  for (const auto status :
       {flow::RunStatus::kQueued, flow::RunStatus::kRunning, flow::RunStatus::kWaiting,
        flow::RunStatus::kCompleted, flow::RunStatus::kCompletedEmpty, flow::RunStatus::kFailed,
        flow::RunStatus::kRejected, flow::RunStatus::kCancelled}) {
    figures.runs.emplace(flow::to_string(status), 0);
  }
  {
    WAVE_TRY(Query query, database.query("SELECT status, count(*) FROM run GROUP BY status"));
    query.restart();
    while (true) {
      WAVE_TRY(const bool more, query.next());
      if (!more) break;
      figures.runs[query.string(0)] = query.integer(1);
    }
  }
  WAVE_TRY(const Mark mark, read_mark(database));
  figures.events = mark.position;
  WAVE_TRY(figures.waiting_gates, database.integer("SELECT count(*) FROM gate WHERE waiting = 1"));
  return figures;
}

}  // namespace wave::store::sqlite
