// Errors as answers.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "http/message.h"

namespace wave::server {

/// problem() of route.h with further members ("standing" ...).
http::Response problem_with(const Error& error, std::string_view request_id, json::object extra);

/// A finding about the request itself, for Error::others: `pointer` is a JSON pointer into the
/// body, or '?' and a parameter's name.
Error finding(std::string pointer, std::string message);
/// kUsage with one such finding.
Error bad_parameter(std::string_view name, std::string message, std::string hint = {});
Error bad_member(std::string_view pointer, std::string message, std::string hint = {});

}  // namespace wave::server
