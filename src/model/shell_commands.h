// The commands of a POSIX shell script with their words: what is run, with which arguments, fed by
// what. Reads as much of the grammar (XCU 2.9, 2.10) as is needed to find the commands; a script
// that is no shell script gives some commands, and never an error.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wave::model {

/// One word, its quotes taken off.
struct ShellWord {
  std::string text;                // '\1' for what only the shell knows: "$x", "$(date)"
  std::vector<std::string> names;  // variables that this shell puts in, in order

  friend bool operator==(const ShellWord&, const ShellWord&) = default;
};

struct ShellCommand {
  std::vector<std::pair<std::string, ShellWord>> assignments;  // before the words; a for's variable
  std::vector<ShellWord> words;
  std::vector<std::string> fed;  // variables whose values it reads from its standard input: of
                                 // here-documents, here-strings, and of `echo "$x" |`
};

/// In the order of the script; those of a substitution stand before the command that uses it.
/// Linear in the size of the script.
std::vector<ShellCommand> shell_commands(std::string_view script);

}  // namespace wave::model
