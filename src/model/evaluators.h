// Programs that take an argument for code: sh -c, eval, python3 -c, awk, ssh ... A value that
// somebody typed must not reach one of them, however well the shell quotes it (decision 0010).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/shell_commands.h"

namespace wave::model {

/// A variable whose value becomes code.
struct EvaluatedValue {
  std::string variable;  // as it was given to evaluated_values(), also where a copy of it is used
  std::string place;     // "the code that `python3 -c` runs"
  std::string remedy;
  bool is_query = false;  // of a database: it changes data, and runs nothing here
};

/// What of `variables` becomes code in the commands, and of the shell variables they are assigned
/// to. No false alarms for scripts that can be parsed; what a program does with plain
/// arguments, files and its input is not known here.
std::vector<EvaluatedValue> evaluated_values(const std::vector<ShellCommand>& commands,
                                             const std::vector<std::string>& variables);

}  // namespace wave::model
