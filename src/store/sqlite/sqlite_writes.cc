// The part of SqliteStore that carries requests out, its own and those of other processes.
#include <fmt/core.h>

#include "base/id.h"
#include "base/log.h"
#include "store/sqlite/access_rows.h"
#include "store/sqlite/commands.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/run_writes.h"
#include "store/sqlite/sqlite_store.h"

namespace wave::store::sqlite {
namespace {

template <typename... Functions>
struct EachRequest : Functions... {
  using Functions::operator()...;
};

size_t bytes_of(const WriteRequest& request) {
  if (const auto* append = std::get_if<EncodedAppend>(&request)) {
    size_t bytes = append->encoded.bytes;
    for (const SpoolMark& mark : append->request.spool_marks) bytes += mark.parser_state.size();
    return bytes;
  }
  if (const auto* run = std::get_if<NewRun>(&request)) {
    return run->projection.run.input.size() * 2;  // once more in the event
  }
  return 0;
}

Status write_audit(Database& database, const AuditEntry& entry) {
  WAVE_TRY([[maybe_unused]] const AuditEntry stored, sqlite::append_audit(database, entry));
  return {};
}

/// Whether the run is there already, created by the same request. Ids are made of chance, so a
/// request that was made before finds no other run of its id.
Result<bool> is_created_already(Batch& batch, const std::string& run_id) {
  const auto entry = batch.run(run_id);
  if (!entry && entry.error().code == Code::kNotFound) return false;
  if (!entry && entry.error().code != Code::kPruned) return fail(entry.error());
  if (entry && batch.asked_before()) return true;
  return fail(Code::kConflict, fmt::format("there is a run {} already", run_id),
              "choose another id");
}

}  // namespace

Result<WriteAnswer> SqliteStore::write(WriteRequest request) {
  if (writer_ == nullptr) return fail(read_only_error());
  WAVE_TRY(auto made, make_job(std::move(request)));
  WAVE_CHECK(writer_->submit_and_wait(std::move(made.first)));
  return std::move(*made.second);
}

Status SqliteStore::write_as_server(Job::Work work) {
  if (writer_ == nullptr) return fail(read_only_error());
  return writer_->submit_and_wait({.work = std::move(work), .reads_rows = true});
}

Result<std::pair<Job, std::shared_ptr<WriteAnswer>>> SqliteStore::make_job(WriteRequest request) {
  auto* const command = std::get_if<Command>(&request);
  if (command != nullptr && command->idempotency_key.empty() && writer_->may_hand_over()) {
    // So that asking again, after a server went away without an answer, asks for the same.
    SystemRandom random;
    command->idempotency_key = make_uuid(random);
  }
  const auto shared = std::make_shared<const WriteRequest>(std::move(request));
  auto answer = std::make_shared<WriteAnswer>();
  WAVE_TRY(Writing writing, prepare(*shared));
  Job job;
  job.work = [shared, answer, writing = std::move(writing)](Batch& batch) mutable -> Status {
    WAVE_TRY(*answer, writing(batch));
    return {};
  };
  job.bytes = bytes_of(*shared);
  job.reads_rows = !std::holds_alternative<EncodedAppend>(*shared);
  job.request = shared;
  job.answered = [answer](WriteAnswer given) { *answer = std::move(given); };
  return std::pair(std::move(job), std::move(answer));
}

/// What it captures by reference lives in the job.
Result<SqliteStore::Writing> SqliteStore::prepare(const WriteRequest& request) {
  const auto answer = [](auto member, auto value) -> Result<WriteAnswer> {
    if (!value) return fail(std::move(value).error());
    WriteAnswer made;
    made.*member = *std::move(value);
    return made;
  };
  const auto nothing = [](const Status& status) -> Result<WriteAnswer> {
    if (!status) return fail(status.error());
    return WriteAnswer{};
  };
  return std::visit(
      EachRequest{
          [this](const NewRun& run) { return prepare_creation(run); },
          [nothing](const EncodedAppend& append) -> Result<Writing> {
            return [=, &append](Batch& batch) { return nothing(batch.append(append)); };
          },
          [answer](const TakeOwnership& take) -> Result<Writing> {
            return [=, &take](Batch& batch) {
              return answer(&WriteAnswer::epochs, raise_epochs(batch, take.runs));
            };
          },
          [answer](const NoteFold& note) -> Result<Writing> {
            return [=, &note](Batch& batch) {
              return answer(&WriteAnswer::number,
                            write_fold_note(batch, note.run_id, note.finished));
            };
          },
          [](const EndFolds& ended) -> Result<Writing> {
            return [&ended](Batch& batch) -> Result<WriteAnswer> {
              for (const std::string& run_id : ended.run_ids) {
                WAVE_CHECK(write_fold_note(batch, run_id, true));
              }
              return WriteAnswer{};
            };
          },
          [answer](const Command& command) -> Result<Writing> {
            return [=, &command](Batch& batch) -> Result<WriteAnswer> {
              if (command.audit) WAVE_CHECK(write_audit(batch.database(), *command.audit));
              return answer(&WriteAnswer::number, sqlite::submit_command(batch, command));
            };
          },
          [answer](const PruneRows& prune) -> Result<Writing> {
            return [=, &prune](Batch& batch) {
              return answer(&WriteAnswer::prune, prune_rows(batch, prune.run_id, prune.now));
            };
          },
          [answer](const PruneEvents& prune) -> Result<Writing> {
            return [=, &prune](Batch& batch) {
              return answer(&WriteAnswer::done, prune_events(batch, prune.run));
            };
          },
          [this, nothing](const RemoveBlobs& remove) -> Result<Writing> {
            return [=, this, &remove](Batch& batch) {
              return nothing(remove_unused_blobs(batch, blobs_, remove.candidates));
            };
          },
          [answer](const GiveBackPages&) -> Result<Writing> {
            return [=](Batch& batch) {
              return answer(&WriteAnswer::done, give_back_pages(batch.database()));
            };
          },
          [nothing](const AddLoginCode& add) -> Result<Writing> {
            return [=, &add](Batch& batch) {
              return nothing(sqlite::add_login_code(batch.database(), add.code, add.now));
            };
          },
          [nothing](const RevokeToken& revoke) -> Result<Writing> {
            return [=, &revoke](Batch& batch) {
              return nothing(sqlite::revoke_token(batch.database(), revoke.token, revoke.now));
            };
          },
          [answer](const AuditEntry& entry) -> Result<Writing> {
            return [=, &entry](Batch& batch) {
              return answer(&WriteAnswer::entry, sqlite::append_audit(batch.database(), entry));
            };
          },
      },
      request);
}

Result<SqliteStore::Writing> SqliteStore::prepare_creation(const NewRun& run) {
  std::vector<std::string> blobs;
  if (!run.snapshot.empty()) {
    WAVE_TRY(blobs, blobs_of_snapshot(run.snapshot));
  }
  return [this, &run, encoded = EncodedEvents(run.run_id, run.events),
          blobs = std::move(blobs)](Batch& batch) -> Result<WriteAnswer> {
    WriteAnswer answer;
    WAVE_TRY(answer.created, create(batch, run, encoded, blobs));
    return answer;
  };
}

Result<CreatedRun> SqliteStore::create(Batch& batch, const NewRun& wanted,
                                       const EncodedEvents& encoded,
                                       const std::vector<std::string>& blobs) {
  Database& database = batch.database();
  WAVE_TRY(const bool created, is_created_already(batch, wanted.run_id));
  if (created) return CreatedRun{.run_id = wanted.run_id, .replayed = false};
  WAVE_TRY(const std::optional<NewRun> later, accepted_later(database, wanted));
  const NewRun& run = later ? *later : wanted;
  WAVE_TRY(const auto earlier, earlier_run(database, run.idempotency_key, run.request_hash));
  if (run.audit) WAVE_CHECK(write_audit(database, *run.audit));
  if (earlier) return CreatedRun{.run_id = *earlier, .replayed = true};
  RunEntry entry;
  WAVE_TRY(entry.id, insert_run(database, run, run.events.front().ts));
  WAVE_CHECK(insert_idempotency(database, entry.id, run.idempotency_key, run.request_hash));
  for (const std::string& sha256 : blobs) {
    WAVE_CHECK(put_blob_reference(database, entry.id, sha256));
    // A clean-up may have come between; from here on the reference keeps it.
    if (!blobs_.has(sha256)) {
      return fail(Code::kNotFound, fmt::format("a file of the run's snapshot is gone ({})", sha256),
                  "try again");
    }
  }
  WAVE_CHECK(batch.insert_events(run.run_id, entry,
                                 later ? EncodedEvents(run.run_id, run.events) : encoded));
  batch.merge(entry.id, run.projection);
  batch.touch(run.run_id, entry.last_seq);
  return CreatedRun{.run_id = run.run_id, .replayed = false};
}

void SqliteStore::serve_writes() {
  const auto carry_out = [this](WriteRequest request, bool asked_before,
                                const WriteServer::Answered& answered) {
    auto made = make_job(std::move(request));
    if (!made) return answered(fail(made.error()));
    Job& job = made->first;
    job.asked_before = asked_before;
    job.done = [this, answered, answer = made->second](const Status& status) {
      if (status) wrote_for_others_ = true;  // the store is told of the commit after this
      answered(status ? Result<WriteAnswer>(std::move(*answer)) : fail(status.error()));
    };
    writer_->submit(std::move(job));
  };
  auto started = WriteServer::start(paths_, writer_->schema_version(), carry_out);
  if (started) {
    write_server_ = *std::move(started);
  } else {
    log::warning("command lines cannot write while this server runs: {}",
                 full_message(started.error()));
  }
}

}  // namespace wave::store::sqlite
