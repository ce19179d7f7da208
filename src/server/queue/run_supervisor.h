// The supervisor of a server's runs: derives the queue from the store, hands out slots, adopts what
// lost its owner.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>

#include "server/queue/make_supervisor.h"
#include "server/queue/run_book.h"
#include "server/queue/run_scan.h"

namespace wave::server::queue {

/// Everything is driven on the loop thread; `mutex_` guards what handlers read meanwhile.
///
/// Three things happen again and again, each asked for by schedule(): new rows are read, runs are
/// taken up, free slots are given away. What others do to the store is noticed by its doorbell, and
/// what dies without a word by looking at locks every few seconds.
class RunSupervisor final : public SupervisorControl, public engine::SlotSource {
 public:
  RunSupervisor(Loop& loop, store::Store& store, store::StatePaths paths, engine::Engine& engine,
                int max_concurrent);
  ~RunSupervisor() override;

  Status start() override;
  void stop() override;
  [[nodiscard]] std::shared_ptr<const QueueView> view() const override;
  [[nodiscard]] std::optional<int> position(const std::string& run_id) const override;
  void submitted(const std::string& run_id) override;
  void hold_while(std::function<std::optional<std::string>()> reason) override {
    reason_to_hold_ = std::move(reason);
  }
  void set_max_concurrent(int max_concurrent) override;
  void set_draining(bool draining) override;
  void on_changed(std::function<void()> changed) override { changed_ = std::move(changed); }

  void acquire(const std::string& run_id, bool resuming, Granted granted) override;
  void occupy(const std::string& run_id) override;
  void release(const std::string& run_id, const std::string& why) override;

 private:
  // What is to be done in the next turn.
  enum Work : unsigned { kReadNews = 1, kLookAtCommands = 2, kScanAll = 4, kGiveSlots = 8 };
  void schedule(unsigned work);
  void work();
  void store_changed(const std::string& run_id);
  void look_again_later();

  void read_news();
  void go_on_with_resumed();
  void look_at_commands();
  void scan_all();
  void note(const ScannedRun& scanned);
  void forget_ended(const std::vector<ScannedRun>& scanned, int64_t known_before);
  void take_up_some();
  void give_slots();
  [[nodiscard]] bool is_held();
  void adopt(const std::vector<std::string>& run_ids);
  void not_adopted(const std::string& run_id, const Error& error);
  void ended(const std::string& run_id, const engine::Engine::Ended& how);
  void touch();  // with mutex_ held: the view has changed
  void to_take_up(const std::string& run_id);
  [[nodiscard]] std::set<std::string> ours() const;

  Loop& loop_;
  store::Store& store_;
  const store::StatePaths paths_;
  engine::Engine& engine_;
  std::function<void()> changed_;
  std::function<std::optional<std::string>()> reason_to_hold_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // callbacks on the loop hold it

  mutable std::mutex mutex_;
  RunBook book_;
  int max_concurrent_;
  bool draining_ = false;
  std::string held_;                               // why nothing is started just now; or empty
  std::vector<std::string> fresh_;                 // submitted and not yet read
  mutable std::shared_ptr<const QueueView> view_;  // null: has to be made anew
  bool news_ = false;                              // changed since changed_ was called

  std::atomic<unsigned> todo_ = 0;
  // Of the loop thread.
  std::deque<std::string> take_up_;
  int64_t last_id_ = 0;
  bool scanning_ = false, started_ = false, stopped_ = false;
  MonoTime last_scan_{}, paused_until_{};
  Loop::TimerId timer_ = 0;
  uint64_t subscription_ = 0;
};

}  // namespace wave::server::queue
