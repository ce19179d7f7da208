// Where exceptions end that nobody else takes: what could not be done is given up, the program goes
// on. Saying so must not throw again, for the memory that was missing is missing still.
#pragma once

#include <exception>
#include <string_view>

#include "base/log.h"

namespace wave {

/// Whether `work` came to its end. What failed is logged as `what`, if that is possible.
template <typename Work>
bool survive(std::string_view what, Work&& work) noexcept {
  try {
    work();
    return true;
  } catch (const std::exception& error) {
    try {
      log::error("{}: {}", what, error.what());
    } catch (...) {  // NOLINT(bugprone-empty-catch): nothing is left to say it with
    }
    return false;
  }
}

}  // namespace wave
