// The table of kinds, the lines that events are stored as, and their schemas.
#include "flow/event.h"

#include <gtest/gtest.h>

#include "flow/reference.h"
#include "flow/state.h"

namespace wave::flow {
namespace {

Event sample() {
  Event event;
  event.seq = 7;
  event.run_id = "test-20261123-174808-abcdefghjk";
  event.ts = *parse_time("2026-11-23T17:48:08.123Z");
  event.kind = Kind::kStepStarted;
  event.step = "plan";
  event.persona = "planner";
  event.attempt = 2;
  event.visit = 1;
  event.actor = "cli:ann";
  event.data = {{"reason", "retry"}, {"kind", "persona"}};
  return event;
}

TEST(Event, TheEnvelopeIsOneFlatLine) {
  EXPECT_EQ(encode(sample()),
            R"({"v":1,"seq":7,"run_id":"test-20261123-174808-abcdefghjk",)"
            R"("ts":"2026-11-23T17:48:08.123Z","event":"step_started","step":"plan",)"
            R"("persona":"planner","attempt":2,"visit":1,"actor":"cli:ann",)"
            R"("reason":"retry","kind":"persona"})");
}

TEST(Event, WhatWasWrittenIsReadAgain) {
  const auto read = decode(encode(sample()));
  ASSERT_TRUE(read) << full_message(read.error());
  EXPECT_EQ(read->seq, 7u);
  EXPECT_EQ(read->step, "plan");
  EXPECT_EQ(read->kind, Kind::kStepStarted);
  EXPECT_EQ(read->attempt, 2);
  EXPECT_EQ(read->visit, 1);
  EXPECT_EQ(read->actor, "cli:ann");
  EXPECT_EQ(read->persona, "planner");
  EXPECT_EQ(read->ts, sample().ts);
  EXPECT_EQ(read->data, sample().data);
}

TEST(Event, HostileTextStaysOneReadableLine) {
  Event event = sample();
  event.actor = "line\nbreak \"quoted\" back\\slash \x01";
  event.data["reason"] = "broken \xff\xfe bytes";
  event.data["seq"] = 99;  // a name of the envelope
  event.data["step"] = "another";
  const std::string line = encode(event);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto read = decode(line);
  ASSERT_TRUE(read) << full_message(read.error());
  EXPECT_EQ(read->seq, 7u);
  EXPECT_EQ(read->step, "plan");
  EXPECT_EQ(read->actor, event.actor);
  EXPECT_EQ(get_string(read->data, "reason"), "broken \xEF\xBF\xBD\xEF\xBF\xBD bytes");
}

TEST(Event, AnotherVersionIsNewerAndEverythingElseIsDamage) {
  const auto code = [](std::string_view line) { return decode(line).error().code; };
  const std::string good = encode(sample());
  std::string newer = good;
  newer.replace(newer.find("\"v\":1"), 5, "\"v\":2");
  EXPECT_EQ(code(newer), Code::kStoreNewer);
  for (const char* bad :
       {"", "{", "[]", "{}", "null", R"({"v":1})", R"({"v":"1"})",
        R"({"v":1,"seq":1,"run_id":"r","ts":"yesterday","event":"run_queued"})",
        R"({"v":1,"seq":-1,"run_id":"r","ts":"2026-11-23T17:48:08.123Z","event":"run_queued"})",
        R"({"v":1,"seq":1,"run_id":7,"ts":"2026-11-23T17:48:08.123Z","event":"run_queued"})",
        R"({"v":1,"seq":1,"run_id":"r","ts":"2026-11-23T17:48:08.123Z","event":"run_danced"})",
        R"({"v":1,"seq":1,"ts":"2026-11-23T17:48:08.123Z","event":"run_queued","attempt":"x"})"}) {
    EXPECT_EQ(code(bad), Code::kStore) << bad;
  }
  EXPECT_EQ(code(good.substr(0, good.size() - 1)), Code::kStore);
  EXPECT_EQ(code(good + good), Code::kStore);
}

TEST(Event, EveryKindHasANameAMeaningAndASchema) {
  std::set<std::string_view> names;
  for (const KindInfo& kind : all_kinds()) {
    EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
    EXPECT_EQ(kind_from_name(kind.name), kind.kind);
    EXPECT_FALSE(kind.meaning.empty());
    std::set<std::string_view> fields;
    for (const FieldInfo& field : kind.fields) {
      EXPECT_TRUE(fields.insert(field.name).second) << kind.name << "." << field.name;
      EXPECT_FALSE(field.meaning.empty()) << kind.name << "." << field.name;
      for (const char* reserved :
           {"v", "seq", "run_id", "ts", "event", "step", "persona", "attempt", "visit", "actor"}) {
        EXPECT_NE(field.name, reserved) << kind.name;
      }
      EXPECT_NE(find(get_object(schema(kind.kind), "properties"), field.name), nullptr);
    }
    EXPECT_EQ(get_string(get_object(get_object(schema(kind.kind), "properties"), "event"), "const"),
              kind.name);
  }
  EXPECT_EQ(kind_from_name("run_danced"), std::nullopt);
}

TEST(Event, TheReferenceNamesEveryKindAndField) {
  const std::string page = events_reference_markdown();
  for (const KindInfo& kind : all_kinds()) {
    EXPECT_NE(page.find(fmt::format("### {}\n", kind.name)), std::string::npos) << kind.name;
    for (const FieldInfo& field : kind.fields) {
      EXPECT_NE(page.find(fmt::format("| `{}` |", field.name)), std::string::npos) << field.name;
    }
  }
  EXPECT_EQ(page, events_reference_markdown());
}

TEST(Event, RunOptionsTravelWhole) {
  RunOptions options;
  options.input = "do it";
  options.model = "cheapest";
  options.force_model = true;
  options.adapter = "claude";
  options.steps = {"a", "b"};
  options.exclude = {"c"};
  options.from_step = "b";
  options.timeout = Millis(5000);
  options.tags = {{"team", "core"}};
  const auto read = run_options_from_json(to_json(options));
  ASSERT_TRUE(read);
  EXPECT_EQ(to_json(*read), to_json(options));
  EXPECT_TRUE(to_json(RunOptions()).empty());
  EXPECT_FALSE(run_options_from_json({{"steps", "a"}}));
  EXPECT_FALSE(run_options_from_json({{"steps", json::array{1}}}));
  EXPECT_FALSE(run_options_from_json({{"timeout_ms", -5}}));
  EXPECT_FALSE(run_options_from_json({{"tags", {{"a", 1}}}}));
}

TEST(Event, NamesOfClassesAndStatusesAreReadAgain) {
  for (int i = 0; i <= static_cast<int>(FailureClass::kInternal); ++i) {
    const auto failure = static_cast<FailureClass>(i);
    EXPECT_EQ(failure_class_from_name(to_string(failure)), failure);
  }
  EXPECT_EQ(failure_class_from_name("never heard of"), FailureClass::kTransient);
  EXPECT_EQ(run_status_from_name("completed_empty"), RunStatus::kCompletedEmpty);
  EXPECT_EQ(run_status_from_name("done"), std::nullopt);
}

}  // namespace
}  // namespace wave::flow
