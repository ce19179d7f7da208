// The production store, made deterministic and unreliable: appends are carried out at once and
// answered through the loop; some fail, and some succeed but report failure.
#pragma once

#include "base/loop.h"
#include "sim_random.h"
#include "store/sqlite/testing/memory_disk.h"
#include "store/store.h"

namespace wave::sim {

class SimStore final : public store::Store {
 public:
  struct Faults {
    int append_percent = 0;     // of the appends go wrong
    int power_cut_percent = 0;  // of the appends are cut short by a power cut
  };
  /// `disk` is where `inner` has its database.
  SimStore(std::unique_ptr<store::Store> inner, store::sqlite::testing::MemoryDisk& disk,
           Loop& loop, SimRandom& random, Faults faults)
      : inner_(std::move(inner)), disk_(disk), loop_(loop), random_(random), faults_(faults) {}

  [[nodiscard]] size_t commits() const { return commits_; }
  /// The last event that was reported as stored: it has to be there ever after.
  [[nodiscard]] uint64_t acknowledged() const { return acknowledged_; }
  /// The power went while something was written; nothing can be stored any more in this life.
  [[nodiscard]] bool power_is_cut() const { return power_is_cut_; }

  void close() override { inner_->close(); }
  void append(store::Append request, Appended done) override;
  Status append_and_wait(store::Append request) override;

  Result<store::CreatedRun> create_run(const store::NewRun& run) override {
    return inner_->create_run(run);
  }
  Result<std::optional<std::string>> run_of_key(const std::string& key,
                                                const std::string& hash) override {
    return inner_->run_of_key(key, hash);
  }
  Status keep_key(const std::string& key, const std::string& hash, const std::string& id) override {
    return inner_->keep_key(key, hash, id);
  }
  Result<store::RunDetails> run(const std::string& id) override { return inner_->run(id); }
  Result<store::RunPage> run_page(const store::RunFilter& f) override {
    return inner_->run_page(f);
  }
  Result<std::vector<store::LiveRun>> live_runs(int64_t after) override {
    return inner_->live_runs(after);
  }
  Result<std::vector<store::Asked>> asked_runs() override { return inner_->asked_runs(); }
  Result<std::string> resolve_run(const std::string& p) override { return inner_->resolve_run(p); }
  Status give_back_space(const std::stop_token& stop) override {
    return inner_->give_back_space(stop);
  }
  Result<uint64_t> free_bytes() override { return inner_->free_bytes(); }
  Status compact() override { return inner_->compact(); }
  Status prune_run(const std::string& id, const std::stop_token& stop) override {
    return inner_->prune_run(id, stop);
  }
  Result<std::vector<store::StoredEvent>> events(const std::string& id,
                                                 const store::EventQuery& q) override {
    return inner_->events(id, q);
  }
  Result<std::vector<store::StoredEvent>> events_since(int64_t p, size_t l) override {
    return inner_->events_since(p, l);
  }
  Result<std::vector<store::SpoolMark>> spool_marks(const std::string& id) override {
    return inner_->spool_marks(id);
  }
  Result<int64_t> take_ownership(const std::string& id) override {
    return inner_->take_ownership(id);
  }
  Result<int> note_fold(const std::string& id, bool finished) override {
    return inner_->note_fold(id, finished);
  }
  Result<int64_t> submit_command(const store::Command& c) override {
    return inner_->submit_command(c);
  }
  Result<std::vector<store::Command>> pending_commands(const std::string& id) override {
    return inner_->pending_commands(id);
  }
  Result<std::optional<store::Command>> gate_command(const std::string& id,
                                                     const std::string& g) override {
    return inner_->gate_command(id, g);
  }
  Result<std::vector<std::pair<std::string, flow::GateRow>>> waiting_gates() override {
    return inner_->waiting_gates();
  }
  Result<store::Figures> figures() override { return inner_->figures(); }
  uint64_t subscribe(Changed changed) override { return inner_->subscribe(std::move(changed)); }
  void unsubscribe(uint64_t s) override { inner_->unsubscribe(s); }
  Result<std::string> put_blob(std::string_view b) override { return inner_->put_blob(b); }
  Result<std::string> put_blob_file(const std::filesystem::path& p) override {
    return inner_->put_blob_file(p);
  }
  Result<std::string> blob(const std::string& h) override { return inner_->blob(h); }
  [[nodiscard]] std::filesystem::path blob_path(const std::string& h) const override {
    return inner_->blob_path(h);
  }

 private:
  std::unique_ptr<store::Store> inner_;
  store::sqlite::testing::MemoryDisk& disk_;
  Loop& loop_;
  SimRandom& random_;
  Faults faults_;
  size_t commits_ = 0;
  uint64_t acknowledged_ = 0;
  bool power_is_cut_ = false;
};

}  // namespace wave::sim
