// Whether a request fits its row: parameters, body, and what an answer looks like.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "contract/json_schema.h"
#include "http/message.h"
#include "server/api/schemas.h"
#include "server/route.h"

namespace wave::server {

/// The schemas of all rows, compiled once. The table must outlive it. Thread: any.
class RequestChecks {
 public:
  /// kInternal when a row names a schema that does not exist.
  static Result<RequestChecks> make(const RouteTable& table, const Schemas& schemas,
                                    bool check_answers);

  /// The declared parameters' values. kUsage with one finding per parameter that does not fit.
  [[nodiscard]] Result<std::multimap<std::string, std::string>> query(
      size_t row, const http::Request& request) const;
  /// The body, parsed and checked. kMediaType, kLimit, kUsage with one finding per place.
  [[nodiscard]] Result<json::value> body(size_t row, const http::Request& request) const;
  /// For tests: kInternal when a success does not fit what the row says of it.
  [[nodiscard]] Status answer(size_t row, const http::Response& response) const;

 private:
  using Schema = std::shared_ptr<const contract::JsonSchema>;
  struct Row {
    std::map<std::string, Schema, std::less<>> query;
    Schema request;
    std::map<int, Schema> answers;  // by status; null: no JSON body
  };
  explicit RequestChecks(const RouteTable& table) : table_(&table) {}

  const RouteTable* table_;
  std::vector<Row> rows_;
  Schema problem_;
  bool check_answers_ = false;
};

}  // namespace wave::server
