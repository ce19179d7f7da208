#include "server/stream/streams.h"

#include <random>

#include "contract/json_schema.h"
#include "server/stream/control_frames.h"
#include "server/stream/cursor.h"
#include "server/stream/test_kit.h"

namespace wave::server::stream {
namespace {

using Promises = StreamsTest;

const std::string kRun = "review-20260101-000000-AAAAAAAAAA";
const std::string kOther = "deploy-20260101-000000-BBBBBBBBBB";

std::string body_of(const Streams::Answer& answer) {
  return std::get<std::string>(answer.response.body);
}

/// The one control frame of that kind, checked against its schema.
json::object control(std::string_view text, std::string_view kind) {
  for (const SentEvent& event : parse_events(text)) {
    if (event.kind != kind) continue;
    const auto data = parse_json(event.data);
    if (!data) break;
    for (const ControlSchema& control : control_schemas()) {
      if (control.event != kind) continue;
      const auto schema = contract::JsonSchema::compile(control.schema);
      EXPECT_TRUE(schema) << full_message(schema.error());
      const auto errors = schema->validate(*data);
      EXPECT_TRUE(errors && errors->empty()) << event.data;
      return data->get_object();
    }
  }
  ADD_FAILURE() << "no " << kind << " in " << text;
  return {};
}

TEST(Cursor, IsANumberOrEpochAndNumber) {
  EXPECT_EQ(parse_cursor("7")->number, 7u);
  EXPECT_EQ(parse_cursor("2.7")->epoch, 2);
  for (const char* bad : {"", "x", "-1", "1.", ".1", "1.2.3", "7 ", "+7", "99999999999999999999"}) {
    EXPECT_FALSE(parse_cursor(bad)) << bad;
  }
  EXPECT_EQ(format_cursor({.epoch = 0, .number = 7}, false), "7");
  EXPECT_EQ(format_cursor({.epoch = 1, .number = 7}, false), "1.7");
  EXPECT_EQ(format_cursor({.epoch = 0, .number = 7}, true), "0.7");
}

TEST_F(Promises, E1_IdsAreSequenceNumbersOfStoredEvents) {
  make_run(kRun);
  const uint64_t client = connect({.run_id = kRun});
  add(kRun, 2, 50);
  end(kRun, 51);
  ASSERT_TRUE(reactor().wait_for_end(client));
  const std::string text = reactor().text(client);
  expect_whole(text, 51);
  const auto stored = store::all_events(*store_, kRun);
  const auto sent = parse_events(text);
  for (size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(sent[i].data, stored[i].line);
    EXPECT_EQ(sent[i].kind, flow::to_string(stored[i].kind));
  }
  EXPECT_TRUE(text.starts_with("retry: "));
}

TEST_F(Promises, E2_StartsAtTheCursorOrTheBeginningOrNow) {
  make_run(kRun);
  add(kRun, 2, 10);
  const uint64_t all = connect({.run_id = kRun});
  const uint64_t some = connect({.run_id = kRun, .cursor = "7"});
  const uint64_t live = connect({.run_id = kRun, .cursor = "latest"});
  ASSERT_TRUE(reactor().wait_for_text(live, "id: 10\n\n"));  // a reconnect goes on from here
  end(kRun, 11);
  for (const uint64_t client : {all, some, live}) ASSERT_TRUE(reactor().wait_for_end(client));
  expect_whole(reactor().text(all), 11);
  EXPECT_EQ(ids(reactor().text(some)), (std::vector<std::string>{"8", "9", "10", "11"}));
  EXPECT_EQ(ids(reactor().text(live)), std::vector<std::string>{"11"});
  const uint64_t late = connect({.run_id = kRun});  // a finished run is served as well
  ASSERT_TRUE(reactor().wait_for_end(late));
  expect_whole(reactor().text(late), 11);
}

TEST_F(Promises, E2_SaysWhereTheLogEndedWhenTheStreamWasOpened) {
  make_run(kRun);
  add(kRun, 2, 10);
  const auto end_of = [&](const Hub::Request& request) {
    const auto opened = streams().open(request);
    EXPECT_TRUE(opened);
    const auto end = opened ? opened->response.headers.find("Wave-Stream-End") : std::nullopt;
    return std::string(end.value_or(""));
  };
  EXPECT_EQ(end_of({.run_id = kRun, .cursor = "3"}), "10");
  EXPECT_EQ(end_of({.run_id = kRun, .cursor = "latest"}), "10");
  const auto all = parse_cursor(end_of({.cursor = "latest"}));
  ASSERT_TRUE(all);
  EXPECT_EQ(all->number, store_->log_end({}).value().last);
}

TEST_F(Promises, E2_UnknownAndPrunedRunsAreErrors) {
  EXPECT_FAILS(streams().open({.run_id = "nobody"}), Code::kNotFound);
  make_run(kRun);
  end(kRun, 2);
  ASSERT_OK(store_->prune_run(kRun));
  EXPECT_FAILS(streams().open({.run_id = kRun}), Code::kPruned);
  EXPECT_EQ(streams().count(), 0u);
}

// Clients connect, read a while, are cut off anywhere and come back, while a writer is at work; the
// memory for frames is so small that most of them have to read pages.
TEST_F(Promises, E3_ReplayAndLiveMeetWithoutGapOrDuplicate) {
  limits_.cached_bytes = 64 << 10;
  limits_.page_events = 37;
  make_run(kRun);
  reactor();  // made before the threads that use it
  constexpr uint64_t kLast = 4'000;
  std::thread writer([&] {
    std::mt19937 random(7);
    for (uint64_t next = 2; next < kLast;) {
      const uint64_t to = std::min<uint64_t>(kLast - 1, next + random() % 40);
      add(kRun, next, to);
      next = to + 1;
    }
    end(kRun, kLast);
  });
  std::vector<std::thread> readers;
  for (unsigned number = 0; number < 8; ++number) {
    readers.emplace_back([&, number] {
      std::mt19937 random(number);
      std::string id;
      std::vector<std::string> seen;
      while (seen.size() < kLast) {
        Streams::Answer got = answer({.run_id = kRun, .cursor = id});
        if (got.response.status == 204) break;
        const uint64_t client = reactor().connect(std::move(got.make), random() % 4 != 0);
        const size_t enough = random() % 60'000;
        if (random() % 2 == 0) reactor().set_reads(client, true);
        reactor().wait_until(client, [&](const TestReactor::Client& at) {
          return at.ended || at.text.size() >= enough || !at.reads;
        });
        std::string text = reactor().disconnect(client);
        if (random() % 2 == 0) text.resize(random() % (text.size() + 1));
        for (std::string& one : ids(text)) seen.push_back(std::move(one));
        if (const std::string last = last_id(text); !last.empty()) id = last;
      }
      ASSERT_EQ(seen.size(), kLast);
      for (uint64_t i = 0; i < kLast; ++i) ASSERT_EQ(seen[i], std::to_string(i + 1));
    });
  }
  writer.join();
  for (std::thread& reader : readers) reader.join();
}

TEST_F(Promises, E4_AThousandSubscribersSeeTheSame) {
  make_run(kRun);
  std::vector<uint64_t> clients;
  for (int i = 0; i < 1'000; ++i) clients.push_back(connect({.run_id = kRun}));
  for (uint64_t next = 2; next < 100; next += 7) add(kRun, next, std::min<uint64_t>(next + 6, 99));
  end(kRun, 100);
  for (const uint64_t client : clients) ASSERT_TRUE(reactor().wait_for_end(client));
  expect_whole(reactor().text(clients.front()), 100);
  for (const uint64_t client : clients) {
    ASSERT_EQ(reactor().text(client), reactor().text(clients.front()));
  }
  reactor().run_here([] {});
  EXPECT_EQ(streams().count(), 0u);
}

TEST_F(Promises, E5_CursorThatCannotBeServedIsReset) {
  make_run(kRun);
  add(kRun, 2, 5);
  for (const auto& [cursor, reason] : {std::pair("6", "future"), std::pair("nonsense", "malformed"),
                                       std::pair("3.4", "epoch"), std::pair("-1", "malformed")}) {
    const uint64_t client = connect({.run_id = kRun, .cursor = cursor});
    ASSERT_TRUE(reactor().wait_for_text(client, "id: 5\n"));
    const std::string text = reactor().text(client);
    const json::object reset = control(text, "reset");
    EXPECT_EQ(get_string(reset, "reason"), reason);
    EXPECT_EQ(get_string(reset, "starts_after"), "0");
    EXPECT_EQ(ids(text), (std::vector<std::string>{"0", "1", "2", "3", "4", "5"}));
  }
}

TEST_F(Promises, E5_RestoredBackupBeginsANewEpoch) {
  make_run(kRun);
  add(kRun, 2, 5);
  store_->note_shown(1'000);  // what a later state of the database would have left
  ASSERT_OK(store_->check_epoch());
  const uint64_t client = connect({.run_id = kRun, .cursor = "4"});
  ASSERT_TRUE(reactor().wait_for_text(client, "id: 1.5\n"));
  EXPECT_EQ(get_string(control(reactor().text(client), "reset"), "reason"), "epoch");
  const uint64_t good = connect({.run_id = kRun, .cursor = "1.4"});
  ASSERT_TRUE(reactor().wait_for_text(good, "id: 1.5\n"));
  EXPECT_EQ(ids(reactor().text(good)), std::vector<std::string>{"1.5"});
  store_->note_shown(5);
  ASSERT_OK(store_->check_epoch());  // nothing was put back: the epoch stays
  EXPECT_EQ(store_->log_end({})->epoch, 1);
}

TEST_F(Promises, E6_EndComesOnceAndAReconnectGets204) {
  make_run(kRun);
  const uint64_t client = connect({.run_id = kRun});
  end(kRun, 2);
  ASSERT_TRUE(reactor().wait_for_end(client));
  expect_whole(reactor().text(client), 2);
  EXPECT_EQ(answer({.run_id = kRun, .cursor = "2"}).response.status, 204);
  EXPECT_EQ(answer({.run_id = kRun, .cursor = "latest"}).response.status, 204);
  EXPECT_EQ(streams().count(), 0u);
}

TEST_F(Promises, E7_SlowReaderCostsBoundedMemoryAndDelaysNobody) {
  limits_.cached_bytes = 128 << 10;
  make_run(kRun);
  const uint64_t slow = connect({.run_id = kRun}, false);
  const uint64_t quick = connect({.run_id = kRun});
  constexpr uint64_t kLast = 20'000;
  for (uint64_t next = 2; next < kLast; next += 500) {
    add(kRun, next, std::min(next + 499, kLast - 1));
    EXPECT_LE(streams().cached_bytes(), limits_.cached_bytes + (64 << 10));
  }
  end(kRun, kLast);
  ASSERT_TRUE(reactor().wait_for_end(quick));
  expect_whole(reactor().text(quick), kLast);
  EXPECT_TRUE(reactor().text(slow).empty());
  reactor().set_reads(slow, true);
  ASSERT_TRUE(reactor().wait_for_end(slow));
  expect_whole(reactor().text(slow), kLast);
  EXPECT_LE(streams().cached_bytes(), limits_.cached_bytes + (64 << 10));
}

TEST_F(Promises, E8_OverloadIsSaidWith200) {
  limits_.streams = 3;
  limits_.streams_per_client = 2;
  make_run(kRun);
  connect({.run_id = kRun, .client = "jwt:ada"});
  const uint64_t second = connect({.run_id = kRun, .client = "jwt:ada"});
  Streams::Answer third = answer({.run_id = kRun, .client = "jwt:ada"});
  EXPECT_EQ(third.response.status, 200);
  EXPECT_FALSE(third.make);
  EXPECT_TRUE(body_of(third).starts_with("retry: "));
  control(body_of(third), "busy");
  connect({.run_id = kRun, .client = "jwt:bob"});
  control(body_of(answer({.run_id = kRun})), "busy");
  reactor().disconnect(second);  // room again
  connect({.run_id = kRun, .client = "jwt:ada"});
}

TEST_F(Promises, E9_HeartbeatAndNoBuffering) {
  make_run(kRun);
  const Streams::Answer got = answer({.run_id = kRun});
  EXPECT_LE(HubLimits().heartbeat_every + Millis(500), Millis(15'000));
  ASSERT_TRUE(got.options.heartbeat);
  EXPECT_TRUE(got.options.heartbeat->starts_with(":"));
  EXPECT_EQ(got.response.headers.find("X-Accel-Buffering"), "no");
  EXPECT_EQ(got.response.headers.find("Cache-Control"), "no-store");
  EXPECT_EQ(got.response.headers.find("Content-Type"), "text/event-stream");
}

TEST_F(Promises, E10_ExpiredCredentialEndsTheStream) {
  make_run(kRun);
  const auth::Identity good{.subject = "ada"};
  const auth::Identity ending{.subject = "bob", .expires_at = clock_.wall() + Millis(60'000)};
  const uint64_t stays = connect({.run_id = kRun, .identity = good});
  const uint64_t goes = connect({.run_id = kRun, .identity = ending});
  ASSERT_TRUE(reactor().wait_for_text(goes, "id: 1\n"));
  clock_.put_forward(Millis(61'000));
  ASSERT_TRUE(reactor().wait_for_end(goes));
  EXPECT_EQ(get_string(control(reactor().text(goes), "unauthorized"), "reason"), "expired");
  end(kRun, 2);
  ASSERT_TRUE(reactor().wait_for_end(stays));
  EXPECT_FALSE(reactor().text(goes).contains("id: 2\n"));
}

TEST_F(Promises, E10_RevokedCredentialEndsTheStream) {
  make_run(kRun);
  const uint64_t stays = connect({.run_id = kRun, .identity = {.token_id = "good"}});
  const uint64_t goes = connect({.run_id = kRun, .identity = {.token_id = "bad"}});
  ASSERT_TRUE(reactor().wait_for_text(goes, "id: 1\n"));
  streams().drop_if([](const auth::Identity& identity) { return identity.token_id == "bad"; });
  ASSERT_TRUE(reactor().wait_for_end(goes));
  EXPECT_EQ(get_string(control(reactor().text(goes), "unauthorized"), "reason"), "revoked");
  end(kRun, 2);
  ASSERT_TRUE(reactor().wait_for_end(stays));
}

TEST_F(Promises, E13_OneStreamFollowsManyRunsAndSurvivesReconnects) {
  make_run(kRun, "review");
  const uint64_t first = connect({});
  ASSERT_TRUE(reactor().wait_for_text(first, "id: 0.1\n\n"));
  make_run(kOther, "deploy");
  add(kRun, 2, 3);
  ASSERT_TRUE(reactor().wait_for_text(first, "id: 0.4\n"));
  std::string text = reactor().disconnect(first);
  EXPECT_EQ(ids(text), (std::vector<std::string>{"0.2", "0.3", "0.4"}));
  add(kOther, 2, 2);
  const uint64_t second = connect({.cursor = last_id(text)});
  const uint64_t narrowed = connect({.cursor = "0", .pipeline = "deploy"});
  const uint64_t one_run = connect({.cursor = "0.0", .runs = {"x", kRun}});
  end(kRun, 4);
  end(kOther, 3);
  ASSERT_TRUE(reactor().wait_for_text(second, "id: 0.7\n"));
  EXPECT_EQ(ids(reactor().text(second)), (std::vector<std::string>{"0.5", "0.6", "0.7"}));
  ASSERT_TRUE(reactor().wait_for_text(narrowed, "id: 0.7\n"));
  EXPECT_EQ(ids(reactor().text(narrowed)), (std::vector<std::string>{"0.2", "0.5", "0.7"}));
  ASSERT_TRUE(reactor().wait_for_text(one_run, "id: 0.6\n"));
  EXPECT_EQ(ids(reactor().text(one_run)), (std::vector<std::string>{"0.1", "0.3", "0.4", "0.6"}));
}

TEST_F(Promises, E5_RemovedEventsOfAllRunsAreSaid) {
  make_run(kRun);
  make_run(kOther);
  add(kRun, 2, 5);
  end(kRun, 6);
  ASSERT_OK(store_->prune_run(kRun));
  const uint64_t client = connect({.cursor = "0.3"});
  ASSERT_TRUE(reactor().wait_for_text(client, "event: reset\n"));
  EXPECT_EQ(get_string(control(reactor().text(client), "reset"), "reason"), "pruned");
  const uint64_t everything = connect({.cursor = "0"});  // what is left, as asked for
  ASSERT_TRUE(reactor().wait_for_text(everything, "id: 0.2\n"));
  add(kOther, 2, 2);
  ASSERT_TRUE(reactor().wait_for_text(client, "id: 0.8\n"));
  ASSERT_TRUE(reactor().wait_for_text(everything, "id: 0.8\n"));
  EXPECT_EQ(ids(reactor().text(everything)), (std::vector<std::string>{"0.2", "0.8"}));
}

TEST_F(Promises, Q2_QueuePositionIsAControlFrameWithoutId) {
  make_run(kRun);
  position_ = 3;
  const uint64_t client = connect({.run_id = kRun});
  ASSERT_TRUE(reactor().wait_for_text(client, "event: queue_position\n"));
  EXPECT_EQ(get_int(control(reactor().text(client), "queue_position"), "queue_position"), 3);
  EXPECT_EQ(last_id(reactor().text(client)), "1");
  position_ = 0;
  streams().queue_changed();
  ASSERT_TRUE(reactor().wait_for_text(client, "\"queue_position\":null"));
}

TEST_F(Promises, O1_ShutDownEndsStreamsWithARetry) {
  make_run(kRun);
  const uint64_t client = connect({.run_id = kRun});
  ASSERT_TRUE(reactor().wait_for_text(client, "id: 1\n"));
  streams().shut_down();
  ASSERT_TRUE(reactor().wait_for_end(client));
  const std::string text = reactor().text(client);
  EXPECT_GT(text.rfind("retry: "), text.rfind("id: "));
  control(body_of(answer({.run_id = kRun})), "busy");
}

// Another process has written: this one hears of it without a run id.
TEST_F(Promises, E3_CommitsOfOtherProcessesAreLive) {
  make_run(kRun);
  const uint64_t client = connect({.run_id = kRun});
  auto other = store::open_store(project_.paths());
  ASSERT_OK(other);
  ASSERT_OK((*other)->append_and_wait(store::activity(kRun, 2)));
  ASSERT_OK((*other)->append_and_wait(store::end_of(kRun, 3)));
  ASSERT_TRUE(reactor().wait_for_end(client));
  expect_whole(reactor().text(client), 3);
}

}  // namespace
}  // namespace wave::server::stream
