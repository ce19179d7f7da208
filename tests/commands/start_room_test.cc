// A machine that leaves too little to work with is refused, with what is needed; nothing aborts.
#include <gmock/gmock.h>

#include "support/sanitized.h"
#include "support/shim.h"
#include "support/wave.h"

namespace wave::test {
namespace {

using ::testing::ContainsRegex;

TEST(StartRoom, TooFewThreadsAreRefusedWithTheNumberThatIsNeeded) {
  const Project project;
  project.pipeline("one", "  - {id: a, type: command, script: \"true\"}\n");
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"run", "one"}, {"serve", "--port", "0"}}) {
    SCOPED_TRACE(command[0]);
    const Exit exit =
        wave(project, command, with_shim("few_threads", {{"WAVE_SHIM_THREADS", "9"}}));
    EXPECT_EQ(exit.code, 1) << exit.err;
    EXPECT_THAT(exit.err, ContainsRegex("needs room for [0-9]+ threads and processes, and there is "
                                        "room for 8"));
    EXPECT_THAT(exit.err, ContainsRegex("ulimit -u"));
  }
  EXPECT_EQ(wave(project, {"run", "one"}).code, 0);
}

TEST(StartRoom, TooLittleAddressSpaceIsRefusedWithTheNumberThatIsNeeded) {
  if (kIsSanitized) GTEST_SKIP() << "a sanitizer maps terabytes before main begins";
  const Project project;
  const Exit exit =
      run({"/bin/sh", "-c", "ulimit -v 150000; exec \"$0\" serve --port 0", WAVE_BINARY},
          project.root(), project.environment());
  EXPECT_EQ(exit.code, 1) << exit.err;
  EXPECT_THAT(exit.err, ContainsRegex("needs [0-9]+ MiB of address space, and may have 147 MiB"));
}

TEST(StartRoom, TooSmallAStackIsRefusedWithTheNumberThatIsNeeded) {
  if (kIsSanitized) GTEST_SKIP() << "a sanitizer's frames need more than the limit before main";
  const Project project;
  project.pipeline("one", "  - {id: a, type: command, script: \"true\"}\n");
  const Exit exit = run({"/bin/sh", "-c", "ulimit -s 64; exec \"$0\" run one", WAVE_BINARY},
                        project.root(), project.environment());
  EXPECT_EQ(exit.code, 1) << exit.err;
  EXPECT_THAT(exit.err, ContainsRegex("needs 1024 KiB of stack, and may have 64 KiB"));
}

}  // namespace
}  // namespace wave::test
