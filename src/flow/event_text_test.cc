#include "flow/event_text.h"

#include <gtest/gtest.h>

namespace wave::flow {
namespace {

TEST(EventText, KnowsWhatWentWrong) {
  for (const char* line : {R"({"event":"step_failed"})", R"({"event":"contract_failed"})",
                           R"({"event":"agent_exited","succeeded":false})",
                           R"({"event":"stream_activity","kind":"tool_result","is_error":true})"}) {
    EXPECT_TRUE(is_error_event(line)) << line;
  }
  for (const char* line :
       {R"({"event":"step_completed"})", R"({"event":"agent_exited","succeeded":true})",
        R"({"event":"stream_activity","kind":"text"})", R"([])", R"(nonsense)"}) {
    EXPECT_FALSE(is_error_event(line)) << line;
  }
}

}  // namespace
}  // namespace wave::flow
