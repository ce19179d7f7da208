// Result<T>: a value or an Error. Exceptions come only from libraries and end where they enter.
#pragma once

#include <expected>
#include <utility>

#include "base/error.h"

namespace wave {

template <typename T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

/// An Error on its way out of a function that returns Result.
inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}
inline std::unexpected<Error> fail(Code code, std::string message, std::string hint = {}) {
  return std::unexpected<Error>(Error(code, std::move(message), std::move(hint)));
}

}  // namespace wave

#define WAVE_CONCAT_INNER(a, b) a##b
#define WAVE_CONCAT(a, b) WAVE_CONCAT_INNER(a, b)

/// WAVE_TRY(auto value, expression): takes the value out of a Result, or returns its error.
#define WAVE_TRY(declaration, expression) \
  WAVE_TRY_IMPL(WAVE_CONCAT(wave_result_, __LINE__), declaration, expression)
#define WAVE_TRY_IMPL(result, declaration, expression)                           \
  auto result = (expression);                                                    \
  if (!result) return std::unexpected<::wave::Error>(std::move(result).error()); \
  declaration = *std::move(result)

/// WAVE_CHECK(expression): returns the error of a Status, if there is one.
#define WAVE_CHECK(expression)                       \
  if (auto wave_status = (expression); !wave_status) \
  return std::unexpected<::wave::Error>(std::move(wave_status).error())
