// What the store's tests are made of. Header only, so that it is in test programs and nowhere else.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "store/store.h"

namespace wave::store {

/// A project folder that goes away with the object.
class TemporaryProject {
 public:
  TemporaryProject() {
    std::string name = std::filesystem::temp_directory_path() / "wave-store-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  TemporaryProject(const TemporaryProject&) = delete;
  TemporaryProject& operator=(const TemporaryProject&) = delete;
  ~TemporaryProject() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] StatePaths paths() const { return {path_}; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline WallTime at_ms(int64_t ms) {
  return WallTime(Millis(1'700'000'000'000 + ms));
}

inline flow::Event event(const std::string& run_id, uint64_t seq, flow::Kind kind,
                         std::string step = {}, json::object data = {}) {
  flow::Event made;
  made.seq = seq;
  made.run_id = run_id;
  made.ts = at_ms(static_cast<int64_t>(seq));
  made.kind = kind;
  made.step = std::move(step);
  made.data = std::move(data);
  return made;
}

inline flow::RunRow run_row(const std::string& run_id, std::string status = "queued") {
  flow::RunRow row;
  row.run_id = run_id;
  row.pipeline = "review";
  row.status = std::move(status);
  row.actor = "somebody";
  row.input = "the input of " + run_id;
  row.tags = {{"team", "core"}};
  row.updated_at = at_ms(1);
  row.steps_total = 2;
  return row;
}

inline NewRun new_run(const std::string& run_id, const std::string& pipeline = "review",
                      int64_t accepted_ms = 0) {
  NewRun run;
  run.run_id = run_id;
  run.pipeline = pipeline;
  run.events.push_back(event(run_id, 1, flow::Kind::kRunQueued));
  run.events.back().ts = at_ms(accepted_ms);
  run.projection.run = run_row(run_id);
  run.projection.run.pipeline = pipeline;
  return run;
}

inline Append append_of(const std::string& run_id, std::vector<flow::Event> events,
                        int64_t epoch = 0) {
  Append append;
  append.run_id = run_id;
  append.owner_epoch = epoch;
  append.events = std::move(events);
  return append;
}

/// An activity of a step: the most frequent and smallest event.
inline Append activity(const std::string& run_id, uint64_t seq, int64_t epoch = 0) {
  return append_of(
      run_id, {event(run_id, seq, flow::Kind::kStreamActivity, "build", {{"text", "working"}})},
      epoch);
}

/// The end of a run, with its row.
inline Append end_of(const std::string& run_id, uint64_t seq,
                     const std::string& status = "completed", int64_t epoch = 0) {
  Append append = append_of(run_id, {event(run_id, seq, flow::Kind::kRunCompleted)}, epoch);
  append.projection.emplace();
  append.projection->run = run_row(run_id, status);
  append.projection->run.finished_at = at_ms(5);
  return append;
}

/// A gate that opens.
inline Append gate_of(const std::string& run_id, uint64_t seq, const std::string& gate_id,
                      int64_t opened_ms = 0) {
  Append append = append_of(run_id, {event(run_id, seq, flow::Kind::kGateWaiting, "approve")});
  append.projection.emplace();
  append.projection->run = run_row(run_id, "waiting");
  flow::GateRow gate;
  gate.gate_id = gate_id;
  gate.step = "approve";
  gate.type = "approval";
  gate.prompt = "Shall we?";
  gate.default_choice = "no";
  gate.choices = {json::object{{"key", "yes"}}, json::object{{"key", "no"}}};
  gate.freeform = true;
  gate.approvers = {"ada", "role:admin"};
  gate.forbid_self_approval = true;
  gate.opened_at = at_ms(opened_ms);
  gate.deadline = at_ms(opened_ms + 1000);
  append.projection->gates.push_back(gate);
  return append;
}

inline Command gate_decision(const std::string& run_id, const std::string& gate_id,
                             const std::string& choice, const std::string& actor,
                             const std::string& key = {}) {
  Command command;
  command.run_id = run_id;
  command.kind = "gate";
  command.gate_id = gate_id;
  command.payload = {{"choice", choice}, {"text", "because"}};
  command.actor = actor;
  command.via = "cli";
  command.idempotency_key = key;
  command.created_at = at_ms(7);
  return command;
}

inline std::vector<uint64_t> seqs(const std::vector<StoredEvent>& events) {
  std::vector<uint64_t> numbers;
  for (const StoredEvent& stored : events) numbers.push_back(stored.seq);
  return numbers;
}

/// All events of a run, page by page.
inline std::vector<StoredEvent> all_events(Store& store, const std::string& run_id) {
  std::vector<StoredEvent> all;
  while (true) {
    auto page = store.events(run_id, {.after = all.empty() ? 0 : all.back().seq});
    if (!page) throw std::runtime_error(full_message(page.error()));
    if (page->empty()) return all;
    std::ranges::move(*page, std::back_inserter(all));
  }
}

/// 1, 2, 3 ... without a hole.
inline void expect_no_hole(const std::vector<StoredEvent>& events) {
  for (size_t i = 0; i < events.size(); ++i) ASSERT_EQ(events[i].seq, i + 1);
}

#define ASSERT_OK(expression)                                          \
  do {                                                                 \
    const auto& wave_ok = (expression);                                \
    ASSERT_TRUE(wave_ok.has_value()) << full_message(wave_ok.error()); \
  } while (false)
#define EXPECT_OK(expression)                                          \
  do {                                                                 \
    const auto& wave_ok = (expression);                                \
    EXPECT_TRUE(wave_ok.has_value()) << full_message(wave_ok.error()); \
  } while (false)
#define EXPECT_FAILS(expression, expected)                              \
  do {                                                                  \
    const auto& wave_failed = (expression);                             \
    ASSERT_FALSE(wave_failed.has_value());                              \
    EXPECT_EQ(code_name(wave_failed.error().code), code_name(expected)) \
        << full_message(wave_failed.error());                           \
  } while (false)

/// Counts what happens on other threads, and waits for it with a deadline.
class Tally {
 public:
  void add(std::string what = {}) {
    const std::scoped_lock lock(mutex_);
    seen_.push_back(std::move(what));
    changed_.notify_all();
  }
  bool wait_for(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return seen_.size() >= count; });
  }
  bool wait_for_text(const std::string& text) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30),
                             [&] { return std::ranges::find(seen_, text) != seen_.end(); });
  }
  [[nodiscard]] std::vector<std::string> seen() {
    const std::scoped_lock lock(mutex_);
    return seen_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> seen_;
};

}  // namespace wave::store
