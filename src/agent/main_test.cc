// The test program is also the program that scripted agents and the guard are: like wave itself.
#include <gmock/gmock.h>

#include <string_view>

#include "agent/guard.h"
#include "agent/play.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "__play") return wave::agent::play_main(argc, argv);
  if (argc > 1 && std::string_view(argv[1]) == "__permit") {
    return wave::agent::guard_main(argc, argv);
  }
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
