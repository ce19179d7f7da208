// One file's bytes from one descriptor to another, sharing blocks where the file system can.
#pragma once

#include "base/result.h"

namespace wave::workspace {

/// Copies everything from the start of `source` to the start of the empty file `target`: a reflink,
/// else in the kernel, else by reading and writing. The offset of `source` is not relied upon.
Status copy_bytes(int source, int target);

}  // namespace wave::workspace
