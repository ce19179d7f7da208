#include "store/conformance.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <future>
#include <thread>

#include "base/file.h"
#include "base/hash.h"

namespace wave::store {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

// --- runs ---

/// A submit that looked at the clock first and arrived second was accepted second.
TEST_P(StoreConformance, Q2_TimesOfAcceptanceFollowTheOrderOfStoring) {
  const auto accept = [&](const std::string& run_id, int64_t ms) {
    NewRun run = new_run(run_id, "review", ms);
    run.projection.run.queued_at = at_ms(ms);
    ASSERT_OK(store_->create_run(run));
  };
  accept("r-1", 1'500);
  accept("r-2", 1'100);
  accept("r-3", 1'600);
  accept("r-4", -3'600'000);  // a clock that was set back is not an overtaking
  EXPECT_EQ(store_->run("r-2")->row.queued_at, at_ms(1'500));
  EXPECT_EQ(store_->run("r-3")->row.queued_at, at_ms(1'600));
  EXPECT_EQ(store_->run("r-4")->row.queued_at, at_ms(-3'600'000));
  const auto events = all_events(*store_, "r-2");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(flow::decode(events[0].line)->ts, at_ms(1'500));
}

TEST_P(StoreConformance, Q1_CreatedRunIsThereAfterReopening) {
  auto created = store_->create_run(new_run("r-1"));
  ASSERT_OK(created);
  EXPECT_EQ(created->run_id, "r-1");
  EXPECT_FALSE(created->replayed);
  reopen();
  const auto run = store_->run("r-1");
  ASSERT_OK(run);
  EXPECT_EQ(run->row.pipeline, "review");
  EXPECT_EQ(run->row.status, "queued");
  EXPECT_EQ(run->row.input, "the input of r-1");
  EXPECT_EQ(run->row.tags, (json::object{{"team", "core"}}));
  EXPECT_EQ(run->row.last_seq, 1U);
  EXPECT_THAT(seqs(all_events(*store_, "r-1")), ElementsAre(1));
}

TEST_P(StoreConformance, RunIdIsTakenOnce) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  EXPECT_FAILS(store_->create_run(new_run("r-1")), Code::kConflict);
  EXPECT_FAILS(store_->create_run(new_run("../escape")), Code::kUsage);
}

TEST_P(StoreConformance, CreatedRunMustBeginWithEventOne) {
  NewRun run = new_run("r-1");
  run.events.front().seq = 2;
  EXPECT_FAILS(store_->create_run(run), Code::kInternal);
  EXPECT_FAILS(store_->run("r-1"), Code::kNotFound);
}

TEST_P(StoreConformance, Q6_SameKeyAndBodyGiveTheSameRun) {
  NewRun first = new_run("r-1");
  first.idempotency_key = "key";
  first.request_hash = "hash";
  ASSERT_OK(store_->create_run(first));
  reopen();
  NewRun again = new_run("r-2");
  again.idempotency_key = "key";
  again.request_hash = "hash";
  const auto replayed = store_->create_run(again);
  ASSERT_OK(replayed);
  EXPECT_EQ(replayed->run_id, "r-1");
  EXPECT_TRUE(replayed->replayed);
  EXPECT_FAILS(store_->run("r-2"), Code::kNotFound);

  again.request_hash = "another";
  EXPECT_FAILS(store_->create_run(again), Code::kIdempotencyMismatch);
}

TEST_P(StoreConformance, Q6_AKeyCanStandForARunThatIsThere) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  ASSERT_OK(store_->create_run(new_run("r-2")));
  EXPECT_EQ(*store_->run_of_key("key", "hash"), std::nullopt);
  ASSERT_OK(store_->keep_key("key", "hash", "r-1"));
  reopen();
  EXPECT_EQ(*store_->run_of_key("key", "hash"), "r-1");
  EXPECT_FAILS(store_->run_of_key("key", "another"), Code::kIdempotencyMismatch);
  EXPECT_FAILS(store_->keep_key("key", "another", "r-1"), Code::kIdempotencyMismatch);
  ASSERT_OK(store_->keep_key("key", "hash", "r-2"));
  EXPECT_EQ(*store_->run_of_key("key", "hash"), "r-1");
  EXPECT_FAILS(store_->keep_key("other", "hash", "none"), Code::kNotFound);
}

TEST_P(StoreConformance, UnknownRunIsNotFound) {
  EXPECT_FAILS(store_->run("none"), Code::kNotFound);
  EXPECT_FAILS(store_->events("none", {}), Code::kNotFound);
  EXPECT_FAILS(store_->append_and_wait(activity("none", 1)), Code::kNotFound);
  EXPECT_FAILS(store_->take_ownership("none"), Code::kNotFound);
  EXPECT_FAILS(store_->pending_commands("none"), Code::kNotFound);
  EXPECT_FAILS(store_->prune_run("none"), Code::kNotFound);
}

TEST_P(StoreConformance, DetailsHoldEveryColumn) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  Append append = append_of("r-1", {event("r-1", 2, flow::Kind::kStepStarted, "build")});
  append.projection.emplace();
  flow::RunRow& run = append.projection->run;
  run = run_row("r-1", "running");
  run.waiting_reason = "gate";
  run.failed_step = "build";
  run.error_code = "timeout";
  run.error_message = "it took too long";
  run.queued_at = at_ms(1);
  run.started_at = at_ms(2);
  run.updated_at = at_ms(3);
  run.steps_done = 1;
  run.usage = {1, 2, 3, 4, 0.5};
  run.resuming = true;
  flow::StepRow step;
  step.index = 1;
  step.step = "build";
  step.status = "running";
  step.persona = "builder";
  step.adapter = "claude";
  step.model = "large";
  step.error_code = "e";
  step.error_message = "m";
  step.workspace = "w";
  step.reason = "first";
  step.visit = 2;
  step.attempt = 3;
  step.interruptions = 4;
  step.started_at = at_ms(4);
  step.finished_at = at_ms(5);
  step.usage = {5, 6, 7, 8, 0.25};
  flow::StepRow before = step;
  before.index = 0;
  before.step = "analyse";
  append.projection->steps = {step, before};
  append.projection->artifacts = {{"build", "log", "text", "out/log.txt", "", 12}};
  ASSERT_OK(store_->append_and_wait(append));

  const auto details = store_->run("r-1");
  ASSERT_OK(details);
  const flow::RunRow& row = details->row;
  EXPECT_EQ(row.actor, "somebody");
  EXPECT_EQ(row.waiting_reason, "gate");
  EXPECT_EQ(row.failed_step, "build");
  EXPECT_EQ(row.error_code, "timeout");
  EXPECT_EQ(row.error_message, "it took too long");
  EXPECT_EQ(row.queued_at, at_ms(1));
  EXPECT_EQ(row.started_at, at_ms(2));
  EXPECT_EQ(row.finished_at, std::nullopt);
  EXPECT_EQ(row.updated_at, at_ms(3));
  EXPECT_EQ(row.steps_total, 2);
  EXPECT_EQ(row.steps_done, 1);
  EXPECT_EQ(row.last_seq, 2U);
  EXPECT_TRUE(row.resuming);
  EXPECT_EQ(row.usage, (flow::Usage{1, 2, 3, 4, 0.5}));
  ASSERT_EQ(details->steps.size(), 2U);
  EXPECT_EQ(details->steps[0].step, "analyse");
  const flow::StepRow& read = details->steps[1];
  EXPECT_EQ(read.index, 1);
  EXPECT_EQ(read.status, "running");
  EXPECT_EQ(read.persona, "builder");
  EXPECT_EQ(read.adapter, "claude");
  EXPECT_EQ(read.model, "large");
  EXPECT_EQ(read.error_code, "e");
  EXPECT_EQ(read.error_message, "m");
  EXPECT_EQ(read.workspace, "w");
  EXPECT_EQ(read.reason, "first");
  EXPECT_EQ(read.visit, 2);
  EXPECT_EQ(read.attempt, 3);
  EXPECT_EQ(read.interruptions, 4);
  EXPECT_EQ(read.started_at, at_ms(4));
  EXPECT_EQ(read.finished_at, at_ms(5));
  EXPECT_EQ(read.usage, (flow::Usage{5, 6, 7, 8, 0.25}));
  EXPECT_EQ(details->artifacts, append.projection->artifacts);
}

TEST_P(StoreConformance, LaterRowsReplaceEarlierOnes) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  for (int round = 0; round < 2; ++round) {
    Append append = append_of("r-1", {event("r-1", 2U + static_cast<uint64_t>(round),
                                            flow::Kind::kArtifactCreated, "s")});
    append.projection.emplace();
    append.projection->run = run_row("r-1", "running");
    append.projection->artifacts = {{"s", "a", "text", "p", "", round}};
    flow::StepRow step;
    step.step = "s";
    step.attempt = round;
    append.projection->steps = {step};
    ASSERT_OK(store_->append_and_wait(append));
  }
  const auto details = store_->run("r-1");
  ASSERT_OK(details);
  ASSERT_EQ(details->steps.size(), 1U);
  EXPECT_EQ(details->steps[0].attempt, 1);
  ASSERT_EQ(details->artifacts.size(), 1U);
  EXPECT_EQ(details->artifacts[0].size, 1);
}

TEST_P(StoreConformance, OneBatchKeepsTheLastRowOfEachRunAndAllSteps) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  Tally done;
  constexpr uint64_t kAppends = 200;
  for (uint64_t i = 0; i < kAppends; ++i) {
    Append append = append_of("r-1", {event("r-1", 2 + i, flow::Kind::kStepStarted, "s")});
    append.projection.emplace();
    append.projection->run = run_row("r-1", "running");
    append.projection->run.steps_done = static_cast<int>(i);
    flow::StepRow step;
    step.step = fmt::format("step-{:03}", i % 100);
    step.attempt = static_cast<int>(i);
    append.projection->steps = {step};
    store_->append(std::move(append), [&](Status status) { done.add(status ? "ok" : "failed"); });
  }
  ASSERT_TRUE(done.wait_for(kAppends));
  EXPECT_THAT(done.seen(), testing::Each("ok"));
  const auto details = store_->run("r-1");
  ASSERT_OK(details);
  EXPECT_EQ(details->row.steps_done, 199);
  ASSERT_EQ(details->steps.size(), 100U);
  for (const flow::StepRow& step : details->steps) EXPECT_GE(step.attempt, 100);
}

// --- lists ---

std::vector<std::string> ids(const Result<std::vector<flow::RunRow>>& rows) {
  std::vector<std::string> names;
  if (rows) {
    for (const flow::RunRow& row : *rows) names.push_back(row.run_id);
  }
  return names;
}

TEST_P(StoreConformance, ListsAreNewestFirstAndGoOnAfterACursor) {
  for (const int i : {1, 2, 3, 4, 5}) {
    ASSERT_OK(store_->create_run(new_run(fmt::format("r-{}", i), "review", i * 10)));
  }
  EXPECT_THAT(ids(store_->list_runs({})), ElementsAre("r-5", "r-4", "r-3", "r-2", "r-1"));
  RunFilter page;
  page.limit = 2;
  EXPECT_THAT(ids(store_->list_runs(page)), ElementsAre("r-5", "r-4"));
  page.after = "r-4";
  EXPECT_THAT(ids(store_->list_runs(page)), ElementsAre("r-3", "r-2"));
  page.after = "r-2";
  EXPECT_THAT(ids(store_->list_runs(page)), ElementsAre("r-1"));
  page.after = "r-1";
  EXPECT_THAT(ids(store_->list_runs(page)), IsEmpty());
  page.after = "none";
  EXPECT_FAILS(store_->list_runs(page), Code::kNotFound);
}

TEST_P(StoreConformance, RunsOfOneMillisecondAreInTheOrderOfTheirAcceptance) {
  for (const char* id : {"b", "a", "c"}) ASSERT_OK(store_->create_run(new_run(id, "review", 7)));
  EXPECT_THAT(ids(store_->list_runs({})), ElementsAre("c", "a", "b"));
  RunFilter page;
  page.after = "a";
  EXPECT_THAT(ids(store_->list_runs(page)), ElementsAre("b"));
}

TEST_P(StoreConformance, ListsFilter) {
  ASSERT_OK(store_->create_run(new_run("r-1", "review", 10)));
  ASSERT_OK(store_->create_run(new_run("r-2", "build", 20)));
  ASSERT_OK(store_->create_run(new_run("r-3", "review", 30)));
  NewRun tagged = new_run("r-4", "build", 40);
  tagged.projection.run.tags = {{"team", "web"}};
  tagged.projection.run.input = "100% of_it";
  ASSERT_OK(store_->create_run(tagged));
  ASSERT_OK(store_->append_and_wait(end_of("r-3", 2, "failed")));
  ASSERT_OK(store_->append_and_wait(end_of("r-2", 2, "completed")));

  const auto listed = [&](auto change) {
    RunFilter filter;
    change(filter);
    return ids(store_->list_runs(filter));
  };
  EXPECT_THAT(listed([](auto& f) { f.statuses = {"queued"}; }), ElementsAre("r-4", "r-1"));
  EXPECT_THAT(listed([](auto& f) { f.statuses = {"failed", "completed", "failed"}; }),
              ElementsAre("r-3", "r-2"));
  EXPECT_THAT(listed([](auto& f) { f.pipeline = "build"; }), ElementsAre("r-4", "r-2"));
  EXPECT_THAT(listed([](auto& f) {
                f.pipeline = "build";
                f.statuses = {"completed", "failed"};
              }),
              ElementsAre("r-2"));
  EXPECT_THAT(listed([](auto& f) { f.since = at_ms(20); }), ElementsAre("r-4", "r-3", "r-2"));
  EXPECT_THAT(listed([](auto& f) { f.until = at_ms(20); }), ElementsAre("r-2", "r-1"));
  EXPECT_THAT(listed([](auto& f) {
                f.tag_key = "team";
                f.tag_value = "web";
              }),
              ElementsAre("r-4"));
  EXPECT_THAT(listed([](auto& f) { f.text = "INPUT OF R-1"; }), ElementsAre("r-1"));
  EXPECT_THAT(listed([](auto& f) { f.text = "r-2"; }), ElementsAre("r-2"));
  EXPECT_THAT(listed([](auto& f) { f.text = "0% of_"; }), ElementsAre("r-4"));
  EXPECT_THAT(listed([](auto& f) { f.text = "0%of_"; }), IsEmpty());
}

TEST_P(StoreConformance, LiveRunsAreThoseWithoutAnEndOldestFirst) {
  for (const char* id : {"b", "a", "c"}) ASSERT_OK(store_->create_run(new_run(id)));
  ASSERT_OK(store_->append_and_wait(end_of("a", 2)));
  const auto live = store_->live_runs();
  ASSERT_OK(live);
  EXPECT_THAT(*live, ElementsAre(Field(&LiveRun::run_id, "b"), Field(&LiveRun::run_id, "c")));
  EXPECT_EQ(live->front().status, "queued");
  const auto later = store_->live_runs(live->front().id);
  ASSERT_OK(later);
  EXPECT_THAT(*later, ElementsAre(Field(&LiveRun::run_id, "c")));
}

TEST_P(StoreConformance, PrefixNamesOneRun) {
  for (const char* id : {"rev-1", "rev-12", "build-1"}) {
    ASSERT_OK(store_->create_run(new_run(id)));
  }
  EXPECT_EQ(store_->resolve_run("b").value(), "build-1");
  EXPECT_EQ(store_->resolve_run("rev-1").value(), "rev-1");
  const auto ambiguous = store_->resolve_run("rev");
  EXPECT_FAILS(ambiguous, Code::kUsage);
  EXPECT_THAT(ambiguous.error().message, HasSubstr("rev-1, rev-12"));
  EXPECT_FAILS(store_->resolve_run("none"), Code::kNotFound);
  EXPECT_FAILS(store_->resolve_run(""), Code::kUsage);
  EXPECT_FAILS(store_->resolve_run("%"), Code::kNotFound);
}

// --- the log ---

TEST_P(StoreConformance, E1_SequenceHasNoHoleAndNoDouble) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  EXPECT_FAILS(store_->append_and_wait(activity("r-1", 3)), Code::kInternal);
  EXPECT_FAILS(store_->append_and_wait(activity("r-1", 1)), Code::kInternal);
  ASSERT_OK(store_->append_and_wait(activity("r-1", 2)));
  // The same to the letter is an append whose success was not told; anything else is a second
  // owner's.
  ASSERT_OK(store_->append_and_wait(activity("r-1", 2)));
  EXPECT_FAILS(
      store_->append_and_wait(append_of("r-1", {event("r-1", 2, flow::Kind::kStepStarted, "z")})),
      Code::kInternal);
  Append torn = append_of("r-1", {event("r-1", 3, flow::Kind::kStepStarted, "a"),
                                  event("r-1", 5, flow::Kind::kStepStarted, "b")});
  EXPECT_FAILS(store_->append_and_wait(torn), Code::kInternal);
  Append foreign = append_of("r-1", {event("r-2", 3, flow::Kind::kStepStarted, "a")});
  EXPECT_FAILS(store_->append_and_wait(foreign), Code::kInternal);
  EXPECT_THAT(seqs(all_events(*store_, "r-1")), ElementsAre(1, 2));
  ASSERT_OK(store_->append_and_wait(activity("r-1", 3)));
}

TEST_P(StoreConformance, E1_FailedAppendLeavesNothingAndItsNeighboursStand) {
  ASSERT_OK(store_->create_run(new_run("good")));
  ASSERT_OK(store_->create_run(new_run("bad")));
  Tally good;
  Tally bad;
  constexpr uint64_t kRounds = 100;
  for (uint64_t i = 0; i < kRounds; ++i) {
    store_->append(activity("good", 2 + i), [&](Status s) { good.add(s ? "ok" : "failed"); });
    Append torn = gate_of("bad", 2, "gate");
    torn.events.push_back(event("bad", 9, flow::Kind::kStepStarted, "x"));
    torn.spool_marks.emplace_back().step = "x";
    store_->append(std::move(torn), [&](Status s) { bad.add(s ? "ok" : "failed"); });
  }
  ASSERT_TRUE(good.wait_for(kRounds));
  ASSERT_TRUE(bad.wait_for(kRounds));
  EXPECT_THAT(good.seen(), testing::Each("ok"));
  EXPECT_THAT(bad.seen(), testing::Each("failed"));
  EXPECT_EQ(all_events(*store_, "good").size(), kRounds + 1);
  EXPECT_EQ(all_events(*store_, "bad").size(), 1U);
  EXPECT_THAT(store_->run("bad")->gates, IsEmpty());
  EXPECT_THAT(*store_->spool_marks("bad"), IsEmpty());
}

TEST_P(StoreConformance, E4_EveryReaderSeesTheSameEventsInTheSameOrder) {
  constexpr int kRuns = 4;
  constexpr uint64_t kEvents = 50;
  std::vector<std::thread> producers;
  for (int r = 0; r < kRuns; ++r) ASSERT_OK(store_->create_run(new_run(fmt::format("r-{}", r))));
  for (int r = 0; r < kRuns; ++r) {
    producers.emplace_back([&, r] {
      for (uint64_t i = 0; i < kEvents; ++i) {
        EXPECT_TRUE(store_->append_and_wait(activity(fmt::format("r-{}", r), 2 + i)));
      }
    });
  }
  // A reader that follows while they write, and one that comes later, get the same.
  std::vector<StoredEvent> followed;
  const auto follow = [&](Store& store, std::vector<StoredEvent>& into) {
    const auto page = store.events_since(into.empty() ? 0 : into.back().position, 7);
    ASSERT_OK(page);
    into.insert(into.end(), page->begin(), page->end());
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (followed.size() < kRuns * (kEvents + 1)) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    follow(*store_, followed);
  }
  for (std::thread& producer : producers) producer.join();
  reopen();
  std::vector<StoredEvent> later;
  while (later.size() < followed.size()) follow(*store_, later);
  for (size_t i = 0; i < followed.size(); ++i) {
    EXPECT_EQ(followed[i].line, later[i].line);
    EXPECT_EQ(followed[i].position, later[i].position);
    if (i > 0) EXPECT_LT(followed[i - 1].position, followed[i].position);
  }
  for (int r = 0; r < kRuns; ++r) expect_no_hole(all_events(*store_, fmt::format("r-{}", r)));
}

TEST_P(StoreConformance, EventsArePagedAndFiltered) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  Append many = append_of("r-1", {});
  for (uint64_t seq = 2; seq <= 2000; ++seq) {
    const bool activity = seq % 100 != 0 && seq > 3;  // a step begins with a folded event
    many.events.push_back(event("r-1", seq,
                                activity ? flow::Kind::kStreamActivity : flow::Kind::kStepStarted,
                                seq % 2 == 0 ? "even" : "odd", {{"n", seq}}));
  }
  ASSERT_OK(store_->append_and_wait(many));
  EXPECT_EQ(store_->events("r-1", {.limit = 5000})->size(), 1000U);
  EXPECT_THAT(seqs(*store_->events("r-1", {.after = 10, .limit = 3})), ElementsAre(11, 12, 13));
  EXPECT_THAT(seqs(*store_->events("r-1", {.limit = 4, .folded_only = true})),
              ElementsAre(1, 2, 3, 100));
  EXPECT_THAT(seqs(*store_->events("r-1", {.limit = 2, .step = "odd"})), ElementsAre(3, 5));
  EXPECT_THAT(
      seqs(*store_->events("r-1", {.after = 150, .limit = 2, .folded_only = true, .step = "even"})),
      ElementsAre(200, 300));
  EXPECT_THAT(seqs(*store_->events("r-1", {.after = UINT64_MAX})), IsEmpty());
  const auto one = store_->events("r-1", {.after = 3, .limit = 1});
  EXPECT_EQ(one->front().kind, flow::Kind::kStreamActivity);
  EXPECT_EQ(one->front().run_id, "r-1");
  EXPECT_EQ(one->front().line, flow::encode(many.events[2]));
}

TEST_P(StoreConformance, SpoolMarksCommitWithTheirEvents) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  SpoolMark mark{.step = "build",
                 .visit = 1,
                 .attempt = 2,
                 .purpose = "contract-0",
                 .out_offset = 1ULL << 40,
                 .err_offset = 7,
                 .parser_state = std::string("a\0\xFFz", 4)};
  Append append = activity("r-1", 2);
  append.spool_marks = {mark};
  ASSERT_OK(store_->append_and_wait(append));
  append = activity("r-1", 9);  // refused: a hole
  append.spool_marks = {mark};
  append.spool_marks[0].out_offset = 5;
  EXPECT_FAILS(store_->append_and_wait(append), Code::kInternal);
  const auto marks = store_->spool_marks("r-1");
  ASSERT_OK(marks);
  ASSERT_EQ(marks->size(), 1U);
  EXPECT_EQ(marks->front().purpose, "contract-0");
  EXPECT_EQ(marks->front().out_offset, 1ULL << 40);
  EXPECT_EQ(marks->front().err_offset, 7U);
  EXPECT_EQ(marks->front().parser_state, mark.parser_state);
}

TEST_P(StoreConformance, Q8_LateWriterNeverOverwritesATerminalStatus) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  ASSERT_OK(store_->append_and_wait(end_of("r-1", 2, "cancelled")));
  EXPECT_FAILS(store_->append_and_wait(end_of("r-1", 3, "completed")), Code::kConflict);
  EXPECT_FAILS(store_->append_and_wait(activity("r-1", 3)), Code::kConflict);
  EXPECT_EQ(store_->run("r-1")->row.status, "cancelled");

  // Also within one batch, where the row is not written yet.
  ASSERT_OK(store_->create_run(new_run("r-2")));
  Tally outcomes;
  store_->append(end_of("r-2", 2, "failed"), [&](Status s) { outcomes.add(s ? "ok" : "refused"); });
  store_->append(end_of("r-2", 3, "completed"),
                 [&](Status s) { outcomes.add(s ? "ok" : "refused"); });
  ASSERT_TRUE(outcomes.wait_for(2));
  EXPECT_THAT(outcomes.seen(), ElementsAre("ok", "refused"));
  EXPECT_EQ(store_->run("r-2")->row.status, "failed");
}

TEST_P(StoreConformance, DestructionWritesWhatWasQueued) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  for (uint64_t seq = 2; seq <= 500; ++seq) store_->append(activity("r-1", seq), [](Status) {});
  reopen();
  EXPECT_EQ(all_events(*store_, "r-1").size(), 500U);
}

// --- ownership ---

TEST_P(StoreConformance, EarlierOwnersAppendsFail) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  EXPECT_EQ(store_->take_ownership("r-1").value(), 1);
  ASSERT_OK(store_->append_and_wait(activity("r-1", 2, 1)));
  auto other = open();
  EXPECT_EQ(other->take_ownership("r-1").value(), 2);
  EXPECT_FAILS(store_->append_and_wait(activity("r-1", 3, 1)), Code::kRunLocked);
  ASSERT_OK(other->append_and_wait(activity("r-1", 3, 2)));
  EXPECT_EQ(store_->run("r-1")->owner_epoch, 2);
}

TEST_P(StoreConformance, FoldsThatDoNotEndAreCounted) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  EXPECT_EQ(store_->note_fold("r-1", false).value(), 1);
  reopen();
  EXPECT_EQ(store_->note_fold("r-1", false).value(), 2);
  EXPECT_EQ(store_->run("r-1")->crash_folds, 2);
  EXPECT_EQ(store_->note_fold("r-1", true).value(), 0);
  EXPECT_EQ(store_->note_fold("r-1", false).value(), 1);
}

// --- commands and gates ---

TEST_P(StoreConformance, CommandsWaitUntilTheirEventsAreStored) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  Command cancel;
  cancel.run_id = "r-1";
  cancel.kind = "cancel";
  cancel.payload = {{"force", true}, {"reason", "wrong branch"}};
  cancel.actor = "ann";
  cancel.via = "api";
  cancel.created_at = at_ms(9);
  const auto id = store_->submit_command(cancel);
  ASSERT_OK(id);
  Command stop = cancel;
  stop.kind = "stop";
  const auto second = store_->submit_command(stop);
  ASSERT_OK(second);
  reopen();
  auto pending = store_->pending_commands("r-1");
  ASSERT_OK(pending);
  ASSERT_EQ(pending->size(), 2U);
  const Command& read = pending->front();
  EXPECT_EQ(read.id, *id);
  EXPECT_EQ(read.run_id, "r-1");
  EXPECT_EQ(read.kind, "cancel");
  EXPECT_EQ(read.payload, cancel.payload);
  EXPECT_EQ(read.actor, "ann");
  EXPECT_EQ(read.via, "api");
  EXPECT_EQ(read.created_at, at_ms(9));

  Append append = activity("r-1", 2);
  append.consumed_commands = {*id};
  ASSERT_OK(store_->append_and_wait(append));
  pending = store_->pending_commands("r-1");
  ASSERT_EQ(pending->size(), 1U);
  EXPECT_EQ(pending->front().id, *second);
}

TEST_P(StoreConformance, TerminalRunsTakeNoCommands) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  ASSERT_OK(store_->append_and_wait(end_of("r-1", 2)));
  Command cancel;
  cancel.run_id = "r-1";
  cancel.kind = "cancel";
  EXPECT_FAILS(store_->submit_command(cancel), Code::kConflict);
}

TEST_P(StoreConformance, SameKeyGivesTheSameCommand) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  Command cancel;
  cancel.run_id = "r-1";
  cancel.kind = "cancel";
  cancel.idempotency_key = "key";
  const auto first = store_->submit_command(cancel);
  ASSERT_OK(first);
  EXPECT_EQ(store_->submit_command(cancel).value(), *first);
  cancel.kind = "stop";
  EXPECT_FAILS(store_->submit_command(cancel), Code::kIdempotencyMismatch);
  cancel.kind = "cancel";
  ASSERT_OK(store_->append_and_wait(end_of("r-1", 2, "cancelled")));
  EXPECT_EQ(store_->submit_command(cancel).value(), *first) << "the same answer after the end";
}

TEST_P(StoreConformance, G1_WaitingGateIsAStoredRecord) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  ASSERT_OK(store_->create_run(new_run("r-2")));
  ASSERT_OK(store_->append_and_wait(gate_of("r-1", 2, "approve.1", 20)));
  ASSERT_OK(store_->append_and_wait(gate_of("r-2", 2, "approve.1", 10)));
  reopen();
  const auto waiting = store_->waiting_gates();
  ASSERT_OK(waiting);
  ASSERT_EQ(waiting->size(), 2U);
  EXPECT_EQ((*waiting)[0].first, "r-2") << "oldest first";
  const flow::GateRow& gate = (*waiting)[1].second;
  EXPECT_EQ(gate.gate_id, "approve.1");
  EXPECT_EQ(gate.step, "approve");
  EXPECT_EQ(gate.type, "approval");
  EXPECT_EQ(gate.prompt, "Shall we?");
  EXPECT_EQ(gate.default_choice, "no");
  EXPECT_EQ(gate.choices.size(), 2U);
  EXPECT_TRUE(gate.freeform);
  EXPECT_THAT(gate.approvers, ElementsAre("ada", "role:admin"));
  EXPECT_TRUE(gate.forbid_self_approval);
  EXPECT_FALSE(gate.resolved);
  EXPECT_EQ(gate.opened_at, at_ms(20));
  EXPECT_EQ(gate.deadline, at_ms(1020));
  EXPECT_EQ(gate.decided_at, std::nullopt);
}

TEST_P(StoreConformance, G3_FirstDecisionWins) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  ASSERT_OK(store_->append_and_wait(gate_of("r-1", 2, "approve.1")));
  EXPECT_FAILS(store_->submit_command(gate_decision("r-1", "approve.2", "yes", "ann")),
               Code::kNotFound);
  const auto first = store_->submit_command(gate_decision("r-1", "approve.1", "yes", "ann", "k1"));
  ASSERT_OK(first);
  auto other = open();
  const auto second = other->submit_command(gate_decision("r-1", "approve.1", "no", "bob", "k2"));
  EXPECT_FAILS(second, Code::kGateDecided);
  EXPECT_THAT(second.error().message, HasSubstr("\"yes\" by ann"));
  EXPECT_EQ(other->submit_command(gate_decision("r-1", "approve.1", "yes", "ann", "k1")).value(),
            *first);
  const auto standing = store_->gate_command("r-1", "approve.1");
  ASSERT_OK(standing);
  ASSERT_TRUE(standing->has_value());
  EXPECT_EQ((*standing)->actor, "ann");
  EXPECT_EQ(get_string((*standing)->payload, "choice"), "yes");
  EXPECT_EQ(store_->gate_command("r-1", "approve.2").value(), std::nullopt);
  EXPECT_THAT(*store_->waiting_gates(), IsEmpty()) << "a decided gate is not offered again";
}

TEST_P(StoreConformance, G3_OneOfManyDecidersWins) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  ASSERT_OK(store_->append_and_wait(gate_of("r-1", 2, "approve.1")));
  auto other = open();
  std::atomic<int> won = 0;
  std::atomic<int> lost = 0;
  std::vector<std::thread> people;
  for (int i = 0; i < 8; ++i) {
    people.emplace_back([&, i] {
      Store& store = i % 2 == 0 ? *store_ : *other;
      const auto decided =
          store.submit_command(gate_decision("r-1", "approve.1", "yes", fmt::format("p{}", i)));
      if (decided) ++won;
      if (!decided && decided.error().code == Code::kGateDecided) ++lost;
    });
  }
  for (std::thread& person : people) person.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 7);
}

TEST_P(StoreConformance, G3_ResolvedGateTellsItsOutcome) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  ASSERT_OK(store_->append_and_wait(gate_of("r-1", 2, "approve.1")));
  Append resolved = gate_of("r-1", 3, "approve.1");
  flow::GateRow& gate = resolved.projection->gates.front();
  gate.resolved = true;
  gate.outcome = "default";
  gate.choice = "no";
  gate.by = "deadline";
  gate.decided_at = at_ms(3);
  ASSERT_OK(store_->append_and_wait(resolved));
  EXPECT_THAT(*store_->waiting_gates(), IsEmpty());
  const auto late = store_->submit_command(gate_decision("r-1", "approve.1", "yes", "ann"));
  EXPECT_FAILS(late, Code::kGateDecided);
  EXPECT_THAT(late.error().message, HasSubstr("\"no\""));
  EXPECT_EQ(store_->run("r-1")->gates.front().by, "deadline");
}

TEST_P(StoreConformance, NobodyWaitsForTheGateOfARunThatIsOver) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  ASSERT_OK(store_->append_and_wait(gate_of("r-1", 2, "approve.1")));
  ASSERT_OK(store_->append_and_wait(end_of("r-1", 3, "cancelled")));
  EXPECT_THAT(*store_->waiting_gates(), IsEmpty());
  EXPECT_FAILS(store_->submit_command(gate_decision("r-1", "approve.1", "yes", "ann")),
               Code::kConflict);
}

// --- following ---

TEST_P(StoreConformance, SubscribersHearOfEveryCommitOfTheirProcess) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  Tally heard;
  const uint64_t subscription = store_->subscribe([&](const std::string& run_id, uint64_t seq) {
    heard.add(fmt::format("{}:{}", run_id, seq));
  });
  ASSERT_OK(store_->append_and_wait(activity("r-1", 2)));
  EXPECT_TRUE(heard.wait_for_text("r-1:2"));
  Command cancel;
  cancel.run_id = "r-1";
  cancel.kind = "cancel";
  ASSERT_OK(store_->append_and_wait(activity("r-1", 3)));
  EXPECT_TRUE(heard.wait_for_text("r-1:3"));
  const size_t before = heard.seen().size();
  ASSERT_OK(store_->submit_command(cancel));
  EXPECT_TRUE(heard.wait_for(before + 1)) << "a command is news for the owner";
  store_->unsubscribe(subscription);
  const size_t after = heard.seen().size();
  ASSERT_OK(store_->append_and_wait(activity("r-1", 4)));
  reopen();
  EXPECT_EQ(heard.seen().size(), after);
}

TEST_P(StoreConformance, O10_CloseAnswersWhatWasGivenAndCallsNobodyAfterwards) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  std::atomic<int> answered = 0;
  std::atomic<bool> closed = false, called_late = false;
  (void)store_->subscribe(
      [&](const std::string&, uint64_t) { called_late = called_late || closed; });
  for (uint64_t seq = 2; seq < 50; ++seq) {
    store_->append(activity("r-1", seq), [&](const Status& status) {
      EXPECT_TRUE(status.has_value());
      ++answered;
      called_late = called_late || closed;
    });
  }
  store_->close();
  closed = true;
  EXPECT_EQ(answered, 48);
  store_->append(activity("r-1", 50), [&](const Status& status) {
    EXPECT_EQ(status.error().code, Code::kStore);
    ++answered;
  });
  EXPECT_EQ(answered, 49) << "what comes later is refused at once";
  EXPECT_EQ(store_->append_and_wait(activity("r-1", 50)).error().code, Code::kStore);
  EXPECT_EQ(store_->run("r-1")->row.last_seq, 49U) << "reading goes on";
  store_->close();
  reopen();
  EXPECT_EQ(store_->run("r-1")->row.last_seq, 49U);
  EXPECT_FALSE(called_late);
}

TEST_P(StoreConformance, SubscribersSeeWhatTheyHearOf) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  Tally seen;
  const uint64_t subscription = store_->subscribe([&](const std::string& run_id, uint64_t seq) {
    if (run_id.empty()) return;
    const auto events = store_->events(run_id, {.after = seq - 1});
    seen.add(events && !events->empty() ? "there" : "missing");
  });
  for (uint64_t seq = 2; seq < 20; ++seq) ASSERT_OK(store_->append_and_wait(activity("r-1", seq)));
  EXPECT_TRUE(seen.wait_for(18));
  store_->unsubscribe(subscription);  // nobody calls `seen` any more
  EXPECT_THAT(seen.seen(), testing::Each("there"));
}

TEST_P(StoreConformance, SubscriberMayRemoveItself) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  Tally heard;
  std::promise<uint64_t> subscription;
  std::shared_future<uint64_t> known = subscription.get_future().share();
  subscription.set_value(store_->subscribe([&, known](const std::string&, uint64_t) {
    heard.add();
    store_->unsubscribe(known.get());
  }));
  ASSERT_OK(store_->append_and_wait(activity("r-1", 2)));
  ASSERT_OK(store_->append_and_wait(activity("r-1", 3)));
  ASSERT_TRUE(heard.wait_for(1));
  EXPECT_EQ(heard.seen().size(), 1U);
}

TEST_P(StoreConformance, SubscribersHearOfOtherOpenings) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  Tally heard;
  store_->subscribe([&](const std::string& run_id, uint64_t) { heard.add(run_id); });
  auto other = open();
  ASSERT_OK(other->append_and_wait(activity("r-1", 2)));
  EXPECT_TRUE(heard.wait_for_text(""));
}

// --- blobs ---

TEST_P(StoreConformance, Q7_BlobsAreFoundByTheirHash) {
  const std::string bytes("some \0 bytes", 12);
  const auto sha256 = store_->put_blob(bytes);
  ASSERT_OK(sha256);
  EXPECT_EQ(*sha256, sha256_hex(bytes));
  EXPECT_EQ(store_->put_blob(bytes).value(), *sha256);
  reopen();
  EXPECT_EQ(store_->blob(*sha256).value(), bytes);
  EXPECT_EQ(read_file(store_->blob_path(*sha256), 100).value(), bytes);
  EXPECT_FAILS(store_->blob(sha256_hex("other")), Code::kNotFound);
  EXPECT_FAILS(store_->blob("../wave.db"), Code::kUsage);
  EXPECT_EQ(store_->blob(store_->put_blob("").value()).value(), "");
}

TEST_P(StoreConformance, BlobsFromFilesAndInOneGo) {
  const auto path = folder_.path() / "file";
  const std::string large(200'000, 'x');
  ASSERT_OK(write_file(path, large));
  const auto sha256 = store_->put_blob_file(path);
  ASSERT_OK(sha256);
  EXPECT_EQ(*sha256, sha256_hex(large));
  EXPECT_EQ(store_->blob(*sha256).value(), large);
  EXPECT_FAILS(store_->put_blob_file(folder_.path() / "none"), Code::kNotFound);
  EXPECT_FAILS(store_->put_blob_file(folder_.path()), Code::kUsage);

  const std::vector<std::string_view> contents{"one", "two", "one", large};
  const auto hashes = store_->put_blobs(contents);
  ASSERT_OK(hashes);
  EXPECT_THAT(*hashes, ElementsAre(sha256_hex("one"), sha256_hex("two"), sha256_hex("one"),
                                   sha256_hex(large)));
  EXPECT_EQ(store_->blob(sha256_hex("two")).value(), "two");
}

// --- pruning ---

TEST_P(StoreConformance, O7_PrunedRunAnswersPruned) {
  for (const char* id : {"r-1", "r-2", "r-3"}) ASSERT_OK(store_->create_run(new_run(id)));
  Append many = append_of("r-2", {});
  for (uint64_t seq = 2; seq <= 3500; ++seq) {
    many.events.push_back(event("r-2", seq, flow::Kind::kStreamActivity, "build"));
  }
  ASSERT_OK(store_->append_and_wait(many));
  EXPECT_FAILS(store_->prune_run("r-2"), Code::kConflict);
  ASSERT_OK(store_->append_and_wait(end_of("r-2", 3501)));
  const int64_t last = store_->events_since(3400, 1000)->back().position;
  ASSERT_OK(store_->prune_run("r-2"));
  ASSERT_OK(store_->prune_run("r-2"));
  reopen();
  EXPECT_FAILS(store_->run("r-2"), Code::kPruned);
  EXPECT_FAILS(store_->events("r-2", {}), Code::kPruned);
  EXPECT_FAILS(store_->append_and_wait(activity("r-2", 3502)), Code::kPruned);
  EXPECT_FAILS(store_->create_run(new_run("r-2")), Code::kConflict);
  EXPECT_FAILS(store_->resolve_run("r-2"), Code::kPruned);
  EXPECT_THAT(ids(store_->list_runs({})), ElementsAre("r-3", "r-1"));
  RunFilter after;
  after.after = "r-2";
  EXPECT_THAT(ids(store_->list_runs(after)), ElementsAre("r-1")) << "a cursor outlives its run";
  EXPECT_EQ(store_->events_since(0, 1000)->size(), 2U);
  // A cursor over all runs must never be handed a position again.
  ASSERT_OK(store_->append_and_wait(activity("r-3", 2)));
  EXPECT_GT(store_->events_since(0, 1000)->back().position, last);
}

TEST_P(StoreConformance, O7_OriginInUseIsNotPruned) {
  ASSERT_OK(store_->create_run(new_run("r-1")));
  ASSERT_OK(store_->append_and_wait(end_of("r-1", 2, "failed")));
  NewRun fork = new_run("r-2");
  fork.projection.run.origin_run_id = "r-1";
  ASSERT_OK(store_->create_run(fork));
  EXPECT_FAILS(store_->prune_run("r-1"), Code::kConflict);
  ASSERT_OK(store_->append_and_wait(end_of("r-2", 2)));
  ASSERT_OK(store_->prune_run("r-1"));
  EXPECT_EQ(store_->run("r-2")->row.origin_run_id, "r-1");
}

/// Makes a blob look as if it had been put long ago.
void age(Store& store, const std::string& sha256) {
  const timespec long_ago[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, store.blob_path(sha256).c_str(), long_ago, 0), 0);
}

TEST_P(StoreConformance, O7_BlobsGoWithTheLastRunThatNeedsThem) {
  std::vector<std::string> hashes;
  for (const char* content : {"only r-1", "both", "never named", "just put"}) {
    hashes.push_back(store_->put_blob(content).value());
  }
  for (const char* id : {"r-1", "r-2"}) {
    ASSERT_OK(store_->create_run(new_run(id)));
    Append end = end_of(id, 2);
    end.projection->artifacts = {{"s", "both", "text", "p", hashes[1], 4}};
    if (id == std::string("r-1")) {
      end.projection->artifacts.push_back({"s", "only", "text", "q", hashes[0], 8});
      end.projection->artifacts.push_back({"s", "young", "text", "q", hashes[3], 8});
    }
    ASSERT_OK(store_->append_and_wait(end));
  }
  for (const size_t i : {0U, 1U, 2U}) age(*store_, hashes[i]);
  ASSERT_OK(store_->prune_run("r-1"));
  EXPECT_FAILS(store_->blob(hashes[0]), Code::kNotFound);
  EXPECT_OK(store_->blob(hashes[1]));
  EXPECT_FAILS(store_->blob(hashes[2]), Code::kNotFound);
  EXPECT_OK(store_->blob(hashes[3]));
  ASSERT_OK(store_->prune_run("r-2"));
  EXPECT_FAILS(store_->blob(hashes[1]), Code::kNotFound);
}

}  // namespace
}  // namespace wave::store
