// HTTP/1.1 as the loads speak it: requests as text, answers by their Content-Length.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"

namespace wave::bench {

[[noreturn]] void give_up(std::string_view why);

/// `client`: which of the loopback addresses 127.0.0.1 to 127.0.0.254 the connection comes from.
UniqueFd connect_to(uint16_t port, int client = 1);
std::string request_for(const std::string& target);
std::string post_request(const std::string& target, std::string_view json);
void send_request(int fd, const std::string& request);
/// The length of the answer that `bytes` begin with; 0: its head is not there yet.
size_t answer_size(std::string_view bytes);

struct Reply {
  int status = 0;
  std::string body;
};
/// A kept connection, from a loopback address as connect_to says. Exits the program when it breaks.
class Caller {
 public:
  explicit Caller(uint16_t port, int client = 1) : socket_(connect_to(port, client)) {}
  Reply get(const std::string& target) { return exchange(request_for(target)); }
  Reply post(const std::string& target, std::string_view json) {
    return exchange(post_request(target, json));
  }

 private:
  Reply exchange(const std::string& request);

  UniqueFd socket_;
};

}  // namespace wave::bench
