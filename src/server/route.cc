#include "server/route.h"

#include <charconv>

namespace wave::server {

std::string Call::text(std::string_view name, std::string_view fallback) const {
  if (const auto found = path.find(std::string(name)); found != path.end()) return found->second;
  if (const auto found = query.find(std::string(name)); found != query.end()) return found->second;
  return std::string(fallback);
}

int64_t Call::integer(std::string_view name, int64_t fallback) const {
  const std::string value = text(name);
  int64_t number = fallback;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

bool Call::flag(std::string_view name) const {
  const std::string value = text(name);
  return value == "1" || value == "true";
}

std::optional<store::AuditEntry> Call::audit(int status) const {
  if (audit_row == nullptr) return std::nullopt;
  auto row = audit_row->make(status);
  if (row) audit_row->stored_as = status;
  return row;
}

std::vector<std::string> Call::texts(std::string_view name) const {
  std::vector<std::string> values;
  const auto [first, last] = query.equal_range(std::string(name));
  for (auto it = first; it != last; ++it) values.push_back(it->second);
  return values;
}

}  // namespace wave::server
