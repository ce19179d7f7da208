// What a checkpoint's commit message says to `restore`.
#pragma once

#include <string>

#include "workspace/kept.h"

namespace wave::workspace {

struct Notes {
  std::string branch;  // that HEAD was on; empty: detached
  std::string staged;  // the tree that was staged; empty: HEAD's
  std::string state;   // a blob with what is kept beside the tree; empty: nothing
  std::string kept;    // the commit, a parent of the checkpoint's, that holds these
  UsualModes usual;
  bool complete = false;  // an older wave's say less
};

std::string with_notes(const std::string& message, const Notes& notes);
Notes read_notes(std::string_view message);

}  // namespace wave::workspace
