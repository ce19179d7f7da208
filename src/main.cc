// The program: the scripted agent's inner door, else the command line.
#include <string>
#include <string_view>
#include <vector>

#include "agent/play.h"
#include "cli/cli.h"

int main(int argc, char** argv) {
  // A scripted agent is this program again; it starts often and needs nothing of what follows.
  if (argc > 1 && std::string_view(argv[1]) == "__play") return wave::agent::play_main(argc, argv);
  return wave::cli::run_main({argv + (argc > 0 ? 1 : 0), argv + argc});
}
