// Bodies by their size: small ones as text, which gets an ETag and is packed; large ones are read
// while they are sent, and nothing of them is held before.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "http/message.h"

namespace wave::server::api {

/// `length`: of the whole body.
Result<http::Body> body_from(std::shared_ptr<http::BodySource> source, uint64_t length);

using MakeBodySource = std::function<std::shared_ptr<http::BodySource>()>;
/// A body whose length is not known. What was read to find out whether it is small is read again.
Result<http::Body> body_from(const MakeBodySource& make);

}  // namespace wave::server::api
