// The store on SQLite: one writer thread, a few readers, a doorbell.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "store/blob_folder.h"
#include "store/doorbell.h"
#include "store/sqlite/open.h"
#include "store/sqlite/reader_pool.h"
#include "store/sqlite/write_server.h"
#include "store/sqlite/writer.h"
#include "store/store.h"
#include "store/subscribers.h"

namespace wave::store::sqlite {

class SqliteStore final : public Store, public AccessStore, public WebhookStore {
 public:
  static Result<std::unique_ptr<Store>> open(const StatePaths& paths, const OpenOptions& options,
                                             const OpenRules& rules = {});
  ~SqliteStore() override;

  void close() override;

  Result<CreatedRun> create_run(const NewRun& run) override;
  Result<std::optional<std::string>> run_of_key(const std::string& key,
                                                const std::string& request_hash) override;
  Status keep_key(const std::string& key, const std::string& request_hash,
                  const std::string& run_id) override;
  Result<RunDetails> run(const std::string& run_id) override;
  Result<RunPage> run_page(const RunFilter& filter) override;
  Result<std::vector<LiveRun>> live_runs(int64_t after) override;
  Result<std::string> resolve_run(const std::string& prefix) override;
  using Store::prune_run;
  Status prune_run(const std::string& run_id, const std::stop_token& stop) override;
  Status give_back_space(const std::stop_token& stop) override;
  Result<uint64_t> free_bytes() override;
  Status compact() override;

  void append(Append request, Appended done) override;
  Status append_and_wait(Append request) override;
  Result<std::vector<StoredEvent>> events(const std::string& run_id,
                                          const EventQuery& query) override;
  Result<std::vector<StoredEvent>> events_since(int64_t position, size_t limit) override;
  Result<std::vector<SpoolMark>> spool_marks(const std::string& run_id) override;

  Result<int64_t> take_ownership(const std::string& run_id) override;
  Result<std::vector<int64_t>> take_ownership_of(std::span<const TakeOver> runs) override;
  Status note_folds_ended(std::span<const std::string> run_ids) override;
  Result<std::vector<Asked>> asked_runs() override;
  Result<int> note_fold(const std::string& run_id, bool finished) override;

  Result<int64_t> submit_command(const Command& command) override;
  Result<std::vector<Command>> pending_commands(const std::string& run_id) override;
  Result<std::optional<Command>> gate_command(const std::string& run_id,
                                              const std::string& gate_id) override;
  Result<std::vector<std::pair<std::string, flow::GateRow>>> waiting_gates() override;

  AccessStore* access() override { return this; }
  Status add_session(const Session& session) override;
  Result<std::optional<Session>> session(const std::string& secret_hash, WallTime now) override;
  Result<std::vector<Session>> sessions(WallTime now) override;
  Result<bool> has_session(const std::string& id, WallTime now) override;
  Result<int64_t> revocation_mark() override;
  Status remove_session(const std::string& id) override;
  Status add_login_code(const LoginCode& code, WallTime now) override;
  Result<std::optional<LoginCode>> take_login_code(const std::string& code_hash,
                                                   WallTime now) override;
  Status revoke_token(const RevokedToken& token, WallTime now) override;
  Result<std::vector<RevokedToken>> revoked_tokens(WallTime now) override;
  Result<AuditEntry> append_audit(AuditEntry entry) override;
  Result<std::vector<AuditEntry>> audit(const AuditFilter& filter) override;
  Result<AuditCheck> verify_audit() override;

  Result<Figures> figures() override;
  std::optional<Error> write_trouble() override;

  WebhookStore* webhooks() override { return this; }
  Result<Begun> begin_delivery(const WebhookDelivery& delivery, Millis same_body_for,
                               Millis keep) override;
  Status end_delivery(int64_t id, const std::string& outcome, const std::string& run_id,
                      const std::string& detail) override;
  Result<std::vector<WebhookDelivery>> deliveries(const std::string& webhook, int64_t before,
                                                  size_t limit) override;

  uint64_t subscribe(Changed changed) override;
  void unsubscribe(uint64_t subscription) override;
  Result<LogEnd> log_end(const std::string& run_id) override;
  void note_shown(uint64_t position) override;
  Status check_epoch() override;

  Result<std::string> put_blob(std::string_view bytes) override;
  Result<std::vector<std::string>> put_blobs(std::span<const std::string_view> contents) override;
  Result<std::string> put_blob_file(const std::filesystem::path& path) override;
  Result<std::string> blob(const std::string& sha256) override;
  [[nodiscard]] std::filesystem::path blob_path(const std::string& sha256) const override;

 private:
  SqliteStore(StatePaths paths, const OpenOptions& options, int schema_version,
              std::unique_ptr<Database> database);

  template <typename Read>
  std::invoke_result_t<Read, Database&> read(Read read);
  /// What does a request, on the writer's thread; prepared on the caller's.
  using Writing = std::move_only_function<Result<WriteAnswer>(Batch&)>;

  /// What any process may write.
  Result<WriteAnswer> write(WriteRequest request);
  /// What only a server writes.
  Status write_as_server(Job::Work work);
  /// A job of the request; the answer is in the second once `done` is called without an error.
  Result<std::pair<Job, std::shared_ptr<WriteAnswer>>> make_job(WriteRequest request);
  Result<Writing> prepare(const WriteRequest& request);
  Result<Writing> prepare_creation(const NewRun& run);
  void serve_writes();
  Result<CreatedRun> create(Batch& batch, const NewRun& wanted, const EncodedEvents& encoded,
                            const std::vector<std::string>& blobs);
  Result<std::vector<std::string>> blobs_of_snapshot(const std::string& sha256) const;
  Status prune_rest(int64_t run, const std::stop_token& stop);
  Status finish_earlier_prunes(const std::stop_token& stop);
  Status remove_unused(std::span<const std::string> candidates, const std::stop_token& stop);
  Status sweep_blobs(const std::stop_token& stop);
  void committed(const Batch& batch);
  void look_for_foreign_commits();

  const StatePaths paths_;
  BlobFolder blobs_;
  Subscribers subscribers_;
  Doorbell doorbell_;
  ReaderPool readers_;

  std::mutex mark_mutex_;
  Mark announced_;  // what subscribers have been told of; guarded by mark_mutex_

  // Something was written for another process: who follows here has to look, as after any commit
  // of others.
  std::atomic<bool> wrote_for_others_ = false;
  std::atomic<int64_t> epoch_ = 0;  // as check_epoch left it

  std::mutex sweep_mutex_;
  std::optional<MonoTime> swept_;     // guarded by sweep_mutex_
  std::vector<std::string> unswept_;  // guarded by it: where an interrupted sweep goes on

  std::mutex watch_mutex_;
  // Destroyed before what their threads use.
  std::unique_ptr<Writer> writer_;             // null in a read-only store
  std::unique_ptr<WriteServer> write_server_;  // of a server
  std::unique_ptr<DoorbellWatch> watch_;  // from the first subscription on; guarded by watch_mutex_
};

/// Reads by a connection of the pool; an error of the disk that may pass is tried again.
template <typename Read>
std::invoke_result_t<Read, Database&> SqliteStore::read(Read read) {
  constexpr int kMaxReads = 4;
  for (int tries = 1;; ++tries) {
    auto result = [&]() -> std::invoke_result_t<Read, Database&> {
      WAVE_TRY(const auto reader, readers_.borrow());
      return read(*reader);
    }();
    const bool may_pass = !result && result.error().code == Code::kDiskError;
    if (!may_pass || tries == kMaxReads) return result;
    std::this_thread::sleep_for(Millis(20) * tries);
  }
}

}  // namespace wave::store::sqlite
