// `wave serve` as a test drives it: a real server on a free port, and a client of few words.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "support/project.h"

namespace wave::test {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  /// The body as JSON; fails the test if it is none.
  [[nodiscard]] json::value json() const;
  [[nodiscard]] json::object object() const { return json().as_object(); }
};

/// One request on a connection of its own. Status 0: no answer came. Fails the test when the answer
/// is not as the OpenAPI document says.
Answer request(uint16_t port, const std::string& method, const std::string& target,
               const std::map<std::string, std::string>& headers = {},
               const std::string& body = {});

/// A frame of a stream of events.
struct SseFrame {
  std::string id, event, data;
  std::string comment;  // of a heartbeat
  std::optional<int> retry;
};

/// Reads a stream of events as they come; each frame is held against its schema.
class SseClient {
 public:
  /// Sends the request; the status is known when it returns. `receive_buffer`: bytes that the
  /// kernel takes for a client that does not read; 0: as many as it likes.
  SseClient(uint16_t port, const std::string& target,
            const std::map<std::string, std::string>& headers = {}, int receive_buffer = 0);
  ~SseClient();
  SseClient(const SseClient&) = delete;
  SseClient& operator=(const SseClient&) = delete;

  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const std::map<std::string, std::string>& headers() const { return headers_; }
  /// The next frame that is no comment; nothing when the stream has ended, or after `patience`.
  std::optional<SseFrame> next(std::chrono::milliseconds patience = kPatience);
  /// Frames until one is of this kind, that one last.
  std::vector<SseFrame> until(const std::string& event);
  /// How many comments have come between the frames.
  [[nodiscard]] int heartbeats() const { return heartbeats_; }
  /// Whether the server has ended the stream (after next returned nothing).
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  bool fill(std::chrono::steady_clock::time_point until);

  int socket_ = -1;
  int status_ = 0;
  int heartbeats_ = 0;
  bool ended_ = false;
  std::string buffer_;
  std::map<std::string, std::string> headers_;
};

/// A server of a project; killed with the object. It looks at its own answers as well, and the test
/// fails when one was not as the document says.
class Server {
 public:
  /// Waits until it listens; fails the test if it does not come up.
  explicit Server(const Project& project, std::vector<std::string> arguments = {},
                  std::map<std::string, std::string> more_environment = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] Program& program() { return *program_; }
  /// kill -9, and waits until it is gone.
  void kill();
  /// SIGTERM, and waits for its end.
  Exit stop();

  [[nodiscard]] Answer get(const std::string& target,
                           const std::map<std::string, std::string>& headers = {}) const;
  [[nodiscard]] Answer post(const std::string& target, const json::value& body,
                            std::map<std::string, std::string> headers = {}) const;
  /// Submits a run and returns its id; fails the test unless the answer is 201.
  [[nodiscard]] std::string submit(const json::object& body) const;
  [[nodiscard]] json::object run(const std::string& run_id) const;
  /// Waits until the run has this status; fails the test if it does not come.
  void wait_for_status(const std::string& run_id, const std::string& status) const;

 private:
  std::unique_ptr<Program> program_;
  uint16_t port_ = 0;
};

}  // namespace wave::test
