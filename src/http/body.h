// Bodies that are made while they are sent.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace wave::http {

/// What a body is read from, one window after the other and never faster than the client takes it.
/// May block: `next` is called on a thread for bodies, never twice at a time; the destructor runs
/// on any thread. An object holds little between two calls, as any number of clients may be slow.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// About `window` bytes, more only where the smallest unit is larger; empty: the body has ended.
  /// After an error the connection is closed, so that the client sees that the body is not whole.
  virtual Result<std::string> next(size_t window) = 0;
};

}  // namespace wave::http
