#include "cli/remote/sse_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wave::cli::remote {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> events_of(std::string_view stream, size_t piece) {
  SseParser parser;
  std::vector<std::string> events;
  for (size_t at = 0; at < stream.size(); at += piece) {
    EXPECT_TRUE(parser.feed(stream.substr(at, piece), [&events](const SseEvent& event) {
      events.push_back(event.id + "|" + event.event + "|" + event.data);
    }));
  }
  return events;
}

TEST(SseParser, EventsAreTheSameHoweverTheStreamIsCut) {
  constexpr std::string_view kStream =
      "\xEF\xBB\xBFretry: 3000\n\n: heartbeat\n\nid: 1\nevent: step_started\ndata: {\"a\":1}\n\n"
      "data:one\r\ndata: two\r\n\r\nid: 7\rdata\r\rid: 8\nevent: nothing\n\ndata: x\nunfinished";
  const auto whole = events_of(kStream, kStream.size());
  EXPECT_THAT(whole, ElementsAre("1|step_started|{\"a\":1}", "1||one\ntwo", "7||"));
  for (const size_t piece : {1, 2, 3, 5, 16}) EXPECT_EQ(events_of(kStream, piece), whole) << piece;
}

TEST(SseParser, WhatIsTooLargeIsRefused) {
  SseParser parser;
  const std::string large(SseParser::kMostBytes + 1, 'x');
  EXPECT_FALSE(parser.feed(large, [](const SseEvent&) {}));
}

}  // namespace
}  // namespace wave::cli::remote
