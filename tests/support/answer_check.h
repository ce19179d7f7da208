// Holds what a server says against the OpenAPI document that it publishes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace wave::test {

/// An OpenAPI 3.1 document, its schemas compiled. Members that the document does not name are
/// refused, so that it stays complete. Thread: any.
class AnswerCheck {
 public:
  explicit AnswerCheck(const json::object& document);
  ~AnswerCheck();
  AnswerCheck(const AnswerCheck&) = delete;
  AnswerCheck& operator=(const AnswerCheck&) = delete;

  struct Seen {
    std::string_view method, target;
    int status = 0;
    const std::map<std::string, std::string>& headers;  // names in lower case
    /// Nothing: only the head is known (a stream, or the rest did not come).
    std::optional<std::string_view> body;
  };
  /// What is wrong with an answer; empty when it is as documented. Paths that the document is not
  /// about (the browser's application) are as they like.
  [[nodiscard]] std::string answer(const Seen& seen) const;
  /// The same of a frame of a stream of events.
  [[nodiscard]] std::string frame(const std::string& event, const std::string& data) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The check by the document of this build, as the tool `wave_openapi` prints it.
const AnswerCheck& published_check();
/// That document.
const json::object& published_document();

}  // namespace wave::test
