// The program: the scripted agent's inner door, else the command line.
#include <string>
#include <string_view>
#include <vector>

#include "agent/guard.h"
#include "agent/play.h"
#include "cli/cli.h"
#include "process/clean_start.h"

int main(int argc, char** argv) {
  wave::process::clean_start();
  // A scripted agent, and the guard that other agents ask before they use a tool, are this program
  // again; they start often and need nothing of what follows.
  const std::string_view door = argc > 1 ? argv[1] : "";
  if (door == "__play") return wave::agent::play_main(argc, argv);
  if (door == "__permit") return wave::agent::guard_main(argc, argv);
  return wave::cli::run_main({argv + (argc > 0 ? 1 : 0), argv + argc});
}
