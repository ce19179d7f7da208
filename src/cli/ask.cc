#include "cli/ask.h"

#include <unistd.h>

#include "base/file.h"

namespace wave::cli {

Result<bool> ask(const std::string& question, const std::string& option) {
  if (::isatty(STDIN_FILENO) != 1) {
    return fail(Code::kUsage, question + " There is no terminal to ask on",
                "say yes with " + option);
  }
  WAVE_CHECK(write_all(STDERR_FILENO, question + " [y/N] "));
  char answer = 'n';
  char next = 0;
  bool first = true;
  while (::read(STDIN_FILENO, &next, 1) == 1 && next != '\n') {
    if (first) answer = next;
    first = false;
  }
  return answer == 'y' || answer == 'Y';
}

}  // namespace wave::cli
