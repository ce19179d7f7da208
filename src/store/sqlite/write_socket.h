// The socket by which other processes of the project hand their writes to the server: frames of a
// length and that many bytes. It lies in the state folder, which only its user may enter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "store/store.h"

namespace wave::store::sqlite {

/// Of requests and answers; raised when their form changes.
inline constexpr uint32_t kWriteProtocol = 1;
/// Larger frames are an error: the writer's queue holds no more either.
inline constexpr uint32_t kMaxFrame = 256u << 20;

struct FrameHead {
  uint32_t size = 0;  // of what follows the head
  uint32_t protocol = kWriteProtocol;
  uint32_t schema = 0;        // version of the database that the sender knows
  uint32_t asked_before = 0;  // 1: of another server, which went away without an answer
  uint64_t id = 0;            // of a request, given back with its answer
};

/// Listens, non-blocking, in place of whoever listened before.
Result<UniqueFd> listen_for_writes(const StatePaths& paths);
/// Connects; reads and writes of it fail after `timeout`.
Result<UniqueFd> connect_to_writes(const StatePaths& paths, Millis timeout);
/// Whether the other end is of our user, or root.
bool is_ours(const UniqueFd& connection);

void append_frame(std::string& out, FrameHead head, std::string_view bytes);
/// The head of the frame that `bytes` begin with, once all of it is there. kStore: it is none.
Result<std::optional<FrameHead>> whole_frame(std::string_view bytes);

}  // namespace wave::store::sqlite
