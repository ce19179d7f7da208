// A program with the files it was made from.
#pragma once

#include "flow/program.h"
#include "store/snapshot.h"

namespace wave::engine {

struct LoadedProgram {
  flow::Program program;
  store::Snapshot snapshot;
};

}  // namespace wave::engine
