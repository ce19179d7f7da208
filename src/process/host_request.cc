#include "process/host_request.h"

#include <fmt/core.h>

#include <cstring>

#include "base/text.h"

namespace wave::process {
namespace {

class Writer {
 public:
  void number(uint64_t value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    bytes_.append(raw, sizeof value);
  }
  void text(std::string_view value) {
    number(value.size());
    bytes_.append(value);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  uint64_t number() {
    uint64_t value = 0;
    if (bytes_.size() < sizeof value) {
      failed_ = true;
      return 0;
    }
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return value;
  }
  std::string text() {
    const uint64_t size = number();
    if (size > bytes_.size()) {
      failed_ = true;
      return {};
    }
    std::string value(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return value;
  }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool done() const { return !failed_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

Status refuse(std::string message) {
  return fail(Code::kUsage, std::move(message));
}

}  // namespace

Status check_request(const HostRequest& request) {
  if (request.argv.empty() || request.argv[0].empty()) return refuse("no program to start");
  if (request.agent_id.empty() || to_valid_utf8(request.agent_id) != request.agent_id) {
    return refuse("a hosted process needs an agent id in UTF-8");
  }
  if (request.agent_id.contains('\0')) return refuse("the agent id contains a NUL byte");
  if (request.dir.empty() || request.cwd.empty()) {
    return refuse("a hosted process needs a folder for its files and one to work in");
  }
  uint64_t size = request.stdin_text.size();
  for (const std::string& argument : request.argv) {
    if (argument.contains('\0')) return refuse("an argument contains a NUL byte");
    size += argument.size();
  }
  for (const auto& [name, value] : request.env) {
    if (name.empty() || name.contains('=') || name.contains('\0')) {
      return refuse(
          fmt::format("\"{}\" cannot be the name of an environment variable", excerpt(name, 64)));
    }
    if (value.contains('\0')) {
      return refuse(fmt::format("the environment variable {} contains a NUL byte", name));
    }
    size += name.size() + value.size();
  }
  if (size > kMaxRequest) {
    return fail(Code::kLimit, fmt::format("arguments, environment and stdin of a process are {} "
                                          "bytes, more than {}",
                                          size, kMaxRequest));
  }
  return {};
}

std::string encode_request(const HostRequest& request) {
  Writer out;
  out.text(request.dir.native());
  out.text(request.agent_id);
  out.number(request.argv.size());
  for (const std::string& argument : request.argv) out.text(argument);
  out.number(request.env.size());
  for (const auto& [name, value] : request.env) {
    out.text(name);
    out.text(value);
  }
  out.text(request.cwd.native());
  out.text(request.stdin_text);
  out.number(static_cast<uint64_t>(request.timeout.count()));
  out.number(static_cast<uint64_t>(request.grace.count()));
  out.number(request.max_output);
  out.text(request.owner_lock.native());
  out.number(static_cast<uint64_t>(request.unattended_limit.count()));
  out.number(request.use_cgroup ? 1 : 0);
  return out.take();
}

Result<HostRequest> decode_request(std::string_view bytes) {
  Reader in(bytes);
  HostRequest request;
  request.dir = in.text();
  request.agent_id = in.text();
  for (uint64_t left = in.number(); left > 0 && !in.failed(); --left) {
    request.argv.push_back(in.text());
  }
  for (uint64_t left = in.number(); left > 0 && !in.failed(); --left) {
    std::string name = in.text();
    request.env[std::move(name)] = in.text();
  }
  request.cwd = in.text();
  request.stdin_text = in.text();
  request.timeout = Millis(in.number());
  request.grace = Millis(in.number());
  request.max_output = in.number();
  request.owner_lock = in.text();
  request.unattended_limit = Millis(in.number());
  request.use_cgroup = in.number() != 0;
  if (!in.done()) return fail(Code::kInternal, "the launcher received a malformed request");
  return request;
}

}  // namespace wave::process
