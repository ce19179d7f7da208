// What a store has to know of a snapshot's list: which blobs it needs. Internal to the room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace wave::store {

/// The hashes of every blob that a snapshot needs, the list itself (`sha256`, with these bytes)
/// first.
Result<std::vector<std::string>> snapshot_blobs(std::string_view bytes, const std::string& sha256);

}  // namespace wave::store
