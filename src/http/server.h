// The server: listeners, reactors, workers.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/answer_spool.h"
#include "http/message.h"
#include "http/reader_pace.h"
#include "http/stream.h"
#include "http/tls.h"

namespace wave::http {

/// Answers one request, once. Move-only. Thread: any. A Responder that is destroyed without having
/// answered sends 500.
class Responder {
 public:
  struct Target;  // the connection, as seen from other threads
  explicit Responder(std::shared_ptr<Target> target) : target_(std::move(target)) {}
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&&) noexcept;
  ~Responder();

  void send(Response response);
  /// Sends the head (status and headers; no length) and turns the connection into a stream.
  /// `make` is called on the connection's reactor, with the handle of the stream, and only if the
  /// client is still there.
  using MakeSource = std::move_only_function<std::unique_ptr<StreamSource>(StreamHandle)>;
  void stream(Response head, StreamOptions options, MakeSource make);

 private:
  std::shared_ptr<Target> target_;
};

/// Bounds of what clients may do (promise A8). Times are of one request.
struct Limits {
  size_t max_header_bytes = 32 << 10;  // 431
  size_t max_headers = 100;            // 431
  size_t max_target_bytes = 8 << 10;   // 414
  Millis header_timeout{10'000};       // 408: from the first byte to the end of the head
  Millis body_timeout{30'000};         // 408: until the whole body is there
  Millis idle_timeout{75'000};         // a kept connection without a request
  PaceLimits pace;                     // of clients that take what they asked for, or do not
  Millis handshake_timeout{10'000};
  size_t max_connections = 20'000;              // beyond: closed at once, counted
  size_t max_connections_per_address = 20'000;  // an address that is no proxy
  size_t max_queued_requests = 4'096;           // beyond: 503 with Retry-After
};

/// Of `limits`, what a process can keep that may have so many descriptors: connections get what the
/// engine and the handlers do not need (at least half), one address half of that.
Limits fit_to_descriptors(Limits limits, size_t descriptors);

/// Who waits for whom: a request waits for a thread of its lane only.
enum class Lane {
  kUrgent,   // short, and somebody waits for it: gates, cancels, readiness
  kReading,  // builds what may be large: few at a time, as each needs memory for it
  kOther,
};

struct ServerOptions {
  std::string host = "127.0.0.1";  // an address, or a name that resolves to some
  uint16_t port = 0;               // 0: any free one
  /// "/wave": what a proxy may put before every path. Handlers see paths without it.
  std::string base_path;
  int reactors = 0;  // 0: as many as cores, at most 4
  int workers = 64;  // threads of each lane; started when needed
  Limits limits;
  /// Where large answers wait for their clients, in a file without a name.
  std::filesystem::path spool_folder = "/var/tmp";
  SpoolLimits spool;
  /// Asked for every request; empty: kOther.
  std::function<Lane(const Request&)> lane;
  /// Who a request comes from, where clients share what there is; empty: the peer's address. One
  /// that came through a proxy is counted for this client while it is answered.
  std::function<std::string(const Request&)> client_of;
  std::shared_ptr<TlsContext> tls;  // null: plain
  /// How large a body this request may have (413 above); asked with the head only.
  std::function<size_t(const Request& head)> body_limit;
  /// Answers cheap requests (liveness) on the reactor itself, also when all workers are busy.
  std::function<std::optional<Response>(const Request&)> inline_answer;
  /// Whether this peer is a proxy, whose connections are those of many clients. None: nobody is.
  std::function<bool(const std::string& peer)> is_proxy;
  /// Headers that every answer gets, those to malformed requests included.
  Headers common_headers;
};

struct ServerStats {
  uint64_t connections = 0, streams = 0;  // open now
  uint64_t accepted = 0, refused = 0, requests = 0, malformed = 0, bytes_out = 0;
  /// Bytes of bodies that wait for their clients: in memory, and in the spool.
  uint64_t windows = 0, spooled = 0;
};

/// Owned by whoever serves. Thread: any, for every method.
class Server {
 public:
  /// Runs on a worker; may block. Answers now or hands the Responder on.
  using Handler = std::function<void(Request, Responder)>;

  /// Listens; when it returns, connections are accepted.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);
  /// Ends at once whatever is left.
  ~Server();

  /// Where it listens: "127.0.0.1", 8080.
  [[nodiscard]] std::pair<std::string, uint16_t> address() const;
  [[nodiscard]] ServerStats stats() const;
  [[nodiscard]] const std::vector<Reactor*>& reactors() const;
  /// New connections get this certificate; open ones go on with theirs.
  void replace_tls(std::shared_ptr<TlsContext> tls);
  /// No new connections; idle ones are closed, answers say Connection: close.
  void stop_accepting();
  /// Waits until every request is answered and every stream has ended, or the deadline passed.
  /// Returns whether all were.
  bool drain(Millis patience);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace wave::http
