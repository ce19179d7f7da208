#include "support/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>

#include "base/text.h"
#include "support/answer_check.h"
#include "support/wave.h"

namespace wave::test {
namespace {

using Clock = std::chrono::steady_clock;

int connect_to(uint16_t port, int receive_buffer = 0) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) {
    ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return socket;
  ::close(socket);
  return -1;
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string head_of(const std::string& method, const std::string& target,
                    const std::map<std::string, std::string>& headers, const std::string& body) {
  std::string head = method + " " + target + " HTTP/1.1\r\n";
  if (!headers.contains("Host")) head += "Host: localhost\r\n";
  for (const auto& [name, value] : headers) head += name + ": " + value + "\r\n";
  if (!body.empty() || method == "POST") {
    head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return head + "\r\n";
}

int parse_head(std::string_view head, std::map<std::string, std::string>& headers) {
  int status = 0;
  const std::vector<std::string> lines = split(head, '\n');
  if (lines.empty() || lines[0].size() < 12) return 0;
  std::from_chars(lines[0].data() + 9, lines[0].data() + 12, status);
  for (size_t at = 1; at < lines.size(); ++at) {
    const size_t colon = lines[at].find(':');
    if (colon == std::string::npos) continue;
    headers[to_lower(lines[at].substr(0, colon))] =
        std::string(trim(std::string_view(lines[at]).substr(colon + 1)));
  }
  return status;
}

/// What arrives within `patience`, behind `into`; false at the end of the connection or then.
bool receive(int socket, std::string& into, Clock::time_point until, bool& ended) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
  pollfd poll{.fd = socket, .events = POLLIN, .revents = 0};
  if (left.count() <= 0 || ::poll(&poll, 1, static_cast<int>(left.count())) <= 0) return false;
  char room[16384];
  const ssize_t got = ::recv(socket, room, sizeof room, 0);
  if (got <= 0) {
    ended = true;
    return false;
  }
  into.append(room, static_cast<size_t>(got));
  return true;
}

/// The body behind the head, once all of it is there: by its length, or in chunks.
std::optional<std::string> whole_body(const Answer& answer) {
  if (const auto length = answer.headers.find("content-length"); length != answer.headers.end()) {
    if (answer.body.size() < std::stoull(length->second)) return std::nullopt;
    return answer.body;
  }
  const auto coding = answer.headers.find("transfer-encoding");
  if (coding == answer.headers.end() || !answer.body.ends_with("\r\n0\r\n\r\n"))
    return std::nullopt;
  std::string body;
  std::string_view rest = answer.body;
  while (true) {
    const size_t end = rest.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const size_t size = std::stoul(std::string(rest.substr(0, end)), nullptr, 16);
    if (size == 0) return body;
    if (rest.size() < end + 2 + size + 2) return std::nullopt;
    body += rest.substr(end + 2, size);
    rest.remove_prefix(end + 2 + size + 2);
  }
}

}  // namespace

json::value Answer::json() const {
  return parsed(body);
}

Answer request(uint16_t port, const std::string& method, const std::string& target,
               const std::map<std::string, std::string>& headers, const std::string& body) {
  Answer answer;
  const int socket = connect_to(port);
  if (socket < 0) return answer;
  std::string text;
  bool whole = false;
  if (send_all(socket, head_of(method, target, headers, body) + body)) {
    const auto until = Clock::now() + kPatience;
    bool ended = false;
    while (true) {
      std::string& into = answer.status == 0 ? text : answer.body;
      const size_t end = answer.status == 0 ? text.find("\r\n\r\n") : std::string::npos;
      if (end != std::string::npos) {
        answer.status = parse_head(std::string_view(text).substr(0, end), answer.headers);
        answer.body = text.substr(end + 4);
        continue;
      }
      const bool bodyless = method == "HEAD" || answer.status == 204 || answer.status == 304;
      if (answer.status != 0 && bodyless) break;
      if (answer.status != 0 && whole_body(answer)) {
        whole = true;
        answer.body = *whole_body(answer);
        break;
      }
      if (!receive(socket, into, until, ended)) break;
    }
  }
  ::close(socket);
  // Whatever a test looks at: every answer is as the document says.
  const std::string wrong = published_check().answer(
      {.method = method,
       .target = target,
       .status = answer.status,
       .headers = answer.headers,
       .body = whole ? std::optional<std::string_view>(answer.body) : std::nullopt});
  if (!wrong.empty()) {
    ADD_FAILURE() << method << ' ' << target << " answers " << answer.status
                  << " with something else than it documents: " << wrong << "\n"
                  << answer.body.substr(0, 2000);
  }
  return answer;
}

SseClient::SseClient(uint16_t port, const std::string& target,
                     const std::map<std::string, std::string>& headers, int receive_buffer)
    : socket_(connect_to(port, receive_buffer)) {
  if (socket_ < 0 || !send_all(socket_, head_of("GET", target, headers, {}))) {
    ADD_FAILURE() << "no connection for " << target;
    ended_ = true;
    return;
  }
  const auto until = Clock::now() + kPatience;
  size_t end = std::string::npos;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos && fill(until)) {
  }
  if (end == std::string::npos) return;
  status_ = parse_head(std::string_view(buffer_).substr(0, end), headers_);
  buffer_.erase(0, end + 4);
  const std::string wrong = published_check().answer({.method = "GET",
                                                      .target = target,
                                                      .status = status_,
                                                      .headers = headers_,
                                                      .body = std::nullopt});
  EXPECT_EQ(wrong, "") << "GET " << target << " answers " << status_;
}

SseClient::~SseClient() {
  if (socket_ >= 0) ::close(socket_);
}

bool SseClient::fill(Clock::time_point until) {
  return !ended_ && receive(socket_, buffer_, until, ended_);
}

std::optional<SseFrame> SseClient::next(std::chrono::milliseconds patience) {
  const auto until = Clock::now() + patience;
  while (true) {
    const size_t end = buffer_.find("\n\n");
    if (end == std::string::npos) {
      if (!fill(until)) return std::nullopt;
      continue;
    }
    const std::string text = buffer_.substr(0, end);
    buffer_.erase(0, end + 2);
    SseFrame frame;
    for (const std::string& line : split(text, '\n')) {
      const size_t colon = line.find(':');
      const std::string name = line.substr(0, colon);
      std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
      if (value.starts_with(' ')) value.erase(0, 1);
      if (name.empty()) frame.comment += value;
      if (name == "id") frame.id = value;
      if (name == "event") frame.event = value;
      if (name == "data") frame.data += value;
      if (name == "retry") frame.retry = std::atoi(value.c_str());
    }
    if (!frame.comment.empty()) ++heartbeats_;
    if (frame.event.empty() && frame.data.empty()) continue;
    EXPECT_EQ(published_check().frame(frame.event, frame.data), "")
        << frame.event << ": " << frame.data;
    return frame;
  }
}

std::vector<SseFrame> SseClient::until(const std::string& event) {
  std::vector<SseFrame> frames;
  while (auto frame = next()) {
    frames.push_back(*std::move(frame));
    if (frames.back().event == event) return frames;
  }
  ADD_FAILURE() << "the stream ended before an event " << event;
  return frames;
}

Server::Server(const Project& project, std::vector<std::string> arguments,
               std::map<std::string, std::string> more_environment) {
  std::vector<std::string> all{"serve", "--json"};
  const bool has_port = std::ranges::find(arguments, "--port") != arguments.end();
  if (!has_port) all.insert(all.end(), {"--port", "0"});
  all.insert(all.end(), arguments.begin(), arguments.end());
  // What other clients than ours receive (the command line, a browser) is looked at over there.
  more_environment.emplace("WAVE_VALIDATE_RESPONSES", "1");
  program_ = start_wave(project, all, std::move(more_environment));
  const bool up = wait_until([&] { return program_->out().contains("}\n") || program_->ended(); });
  const std::string out = program_->out();
  const size_t end = out.find("}\n");
  if (!up || end == std::string::npos) {
    ADD_FAILURE() << "the server did not come up: " << program_->err();
    return;
  }
  const std::string url(parsed(out.substr(0, end + 1)).at("url").as_string());
  port_ = static_cast<uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

Server::~Server() {
  EXPECT_FALSE(program_->err().contains("with something else than it promises")) << program_->err();
}

void Server::kill() {
  program_->signal(SIGKILL);
  (void)program_->wait();
}

Exit Server::stop() {
  program_->signal(SIGTERM);
  return program_->wait();
}

Answer Server::get(const std::string& target,
                   const std::map<std::string, std::string>& headers) const {
  return request(port_, "GET", target, headers);
}

Answer Server::post(const std::string& target, const json::value& body,
                    std::map<std::string, std::string> headers) const {
  headers.emplace("Content-Type", "application/json");
  return request(port_, "POST", target, headers, dump_json(body));
}

std::string Server::submit(const json::object& body) const {
  const Answer answer = post("/api/runs", body);
  EXPECT_EQ(answer.status, 201) << answer.body;
  if (answer.status != 201) return {};
  return std::string(answer.object().at("run_id").as_string());
}

json::object Server::run(const std::string& run_id) const {
  const Answer answer = get("/api/runs/" + run_id);
  EXPECT_EQ(answer.status, 200) << answer.body;
  return answer.status == 200 ? answer.object() : json::object{};
}

void Server::wait_for_status(const std::string& run_id, const std::string& status) const {
  std::string last;
  const bool came = wait_until([&] {
    const json::object detail = run(run_id);
    if (!detail.contains("run")) return false;
    last = std::string(get_string(get_object(detail, "run"), "status"));
    return last == status;
  });
  EXPECT_TRUE(came) << "run " << run_id << " is " << last << ", not " << status;
}

}  // namespace wave::test
