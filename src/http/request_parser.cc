#include "http/request_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "http/target.h"

namespace wave::http {

namespace beast = boost::beast::http;
namespace asio = boost::asio;

struct RequestParser::Impl {
  beast::request_parser<beast::string_body> parser;
};

namespace {

constexpr size_t kMaxChunkLine = 4 << 10;
// Of a chunked body: "0", and two line ends. Beast asserts that less never comes by itself.
constexpr size_t kShortestEnd = 5;
constexpr size_t kMaxMethodAndVersion = 64;

Refusal refusal_of(const boost::system::error_code& error) {
  if (error == beast::error::header_limit) return {431, "the header fields are too large"};
  if (error == beast::error::body_limit) return {413, "the body is too large"};
  if (error == beast::error::bad_version) return {505, "only HTTP/1.1 and HTTP/1.0 are spoken"};
  if (error == beast::error::bad_line_ending) return {400, "a line does not end with CR LF"};
  if (error == beast::error::bad_chunk || error == beast::error::bad_chunk_extension) {
    return {400, "a chunk is malformed"};
  }
  return {400, "the request is malformed"};
}

bool is_host(std::string_view host) {
  constexpr std::string_view kOther = "-._~:[]%";
  return host.size() <= 255 && std::ranges::all_of(host, [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  kOther.contains(c);
         });
}

}  // namespace

RequestParser::RequestParser(const Limits& limits)
    : limits_(limits), impl_(std::make_unique<Impl>()) {
  impl_->parser.header_limit(static_cast<uint32_t>(limits.max_header_bytes));
  impl_->parser.body_limit(boost::none);  // set once the head is known
  impl_->parser.eager(false);
}

RequestParser::~RequestParser() = default;

std::expected<size_t, Refusal> RequestParser::feed(std::string_view bytes) {
  if (bytes.empty() || state_ == State::kDone) return 0;
  started_ = true;
  const bool in_head = state_ == State::kHead;
  if (in_head) {
    if (const auto refusal = check_lines(bytes)) return std::unexpected(*refusal);
    if (!lines_ended_) return 0;  // the parser sees whole heads only, which were looked at
    bytes = bytes.substr(0, checked_);
  } else if (impl_->parser.chunked() && !body_begun_ && bytes.size() < kShortestEnd) {
    return 0;
  }
  boost::system::error_code error;
  impl_->parser.eager(!in_head);
  const size_t taken = impl_->parser.put(asio::const_buffer(bytes.data(), bytes.size()), error);
  if (!in_head && taken > 0) body_begun_ = true;
  if (error == beast::error::need_more) {
    if (in_head) return std::unexpected(Refusal{400, "the request is malformed"});
    // What waits in a body is the line of a chunk's size, or trailers: nobody needs long ones.
    if (bytes.size() - taken > kMaxChunkLine)
      return std::unexpected(Refusal{400, "a chunk is malformed"});
    return taken;
  }
  if (error) return std::unexpected(refusal_of(error));
  if (in_head && impl_->parser.is_header_done()) {
    if (const auto refusal = take_head()) return std::unexpected(*refusal);
    state_ = impl_->parser.is_done() ? State::kDone : State::kBody;
  }
  if (state_ == State::kBody && impl_->parser.is_done()) state_ = State::kDone;
  if (state_ == State::kDone) request_.body = std::move(impl_->parser.get().body());
  return taken;
}

// What Beast is lenient about: it unfolds obsolete folding (RFC 9112 section 5.2), and waits for
// more when lines end with a bare LF. Nothing of a head is taken before all of it is there.
std::optional<Refusal> RequestParser::check_lines(std::string_view head) {
  for (; checked_ < head.size() && !lines_ended_; ++checked_) {
    const char c = head[checked_];
    const char last = checked_ == 0 ? '\0' : head[checked_ - 1];
    if (c == '\0') return Refusal{400, "there is a NUL in the head"};
    if ((c == '\n') != (last == '\r')) return Refusal{400, "a line does not end with CR LF"};
    if (last == '\n' && (c == ' ' || c == '\t')) return Refusal{400, "a header field is folded"};
    lines_ended_ = c == '\n' && head.substr(0, checked_ + 1).ends_with("\r\n\r\n");
  }
  const size_t line = std::min(head.find('\r'), head.size());
  if (line > limits_.max_target_bytes + kMaxMethodAndVersion)
    return Refusal{414, "the target is too long"};
  if (!lines_ended_ && head.size() > limits_.max_header_bytes)
    return Refusal{431, "the header fields are too large"};
  return std::nullopt;
}

std::optional<Refusal> RequestParser::take_head() {
  const auto& message = impl_->parser.get();
  request_.method = std::string(message.method_string());
  request_.target = std::string(message.target());
  if (request_.target.size() > limits_.max_target_bytes)
    return Refusal{414, "the target is too long"};
  for (const auto& field : message) {
    if (request_.headers.fields().size() == limits_.max_headers)
      return Refusal{431, "there are too many header fields"};
    request_.headers.add(std::string(field.name_string()), std::string(field.value()));
  }
  if (const auto refusal = check_framing()) return refusal;
  // Its target is no path, so that there is nothing to say 405 of.
  if (request_.method == "CONNECT") return Refusal{501, "this method is not understood"};
  if (request_.target == "*" && request_.method == "OPTIONS") {
    request_.path = "*";
    return std::nullopt;
  }
  if (!parse_target(request_)) return Refusal{400, "the target is malformed"};
  const auto host = request_.headers.find("Host");
  if (host && !is_host(*host)) return Refusal{400, "Host is malformed"};
  return std::nullopt;
}

std::optional<Refusal> RequestParser::check_framing() const {
  const auto& message = impl_->parser.get();
  const Headers& headers = request_.headers;
  // RFC 9112 section 3.2: exactly one Host in HTTP/1.1.
  const size_t hosts = headers.all("Host").size();
  if (hosts > 1) return Refusal{400, "there is more than one Host"};
  if (message.version() == 11 && hosts == 0) return Refusal{400, "there is no Host"};
  const size_t codings = headers.all("Transfer-Encoding").size();
  const size_t lengths = headers.all("Content-Length").size();
  // RFC 9112 section 6.1: both at once is how requests are smuggled.
  if (codings > 0 && lengths > 0)
    return Refusal{400, "both Content-Length and Transfer-Encoding are given"};
  if (lengths > 1) return Refusal{400, "there is more than one Content-Length"};
  // "3, 3" is a list that section 6.3 lets a server mend; peers may mend it otherwise.
  const std::string_view length = headers.find("Content-Length").value_or("0");
  if (length.find_first_not_of("0123456789") != std::string_view::npos)
    return Refusal{400, "Content-Length is malformed"};
  if (codings == 0) return std::nullopt;
  if (message.version() == 10) return Refusal{400, "HTTP/1.0 knows no Transfer-Encoding"};
  const bool is_chunked =
      codings == 1 && boost::beast::iequals(message["Transfer-Encoding"], "chunked");
  if (!is_chunked) return Refusal{501, "this transfer coding is not understood"};
  return std::nullopt;
}

bool RequestParser::set_body_limit(size_t bytes) {
  impl_->parser.body_limit(bytes);
  const auto length = impl_->parser.content_length();
  return !length || *length <= bytes;
}

bool RequestParser::expects_continue() const {
  const auto expect = request_.headers.find("Expect");
  return expect && state_ == State::kBody && impl_->parser.get().version() == 11 &&
         boost::beast::iequals(boost::beast::string_view(expect->data(), expect->size()),
                               "100-continue");
}

bool RequestParser::takes_chunks() const {
  return impl_->parser.get().version() >= 11;
}

bool RequestParser::keep_alive() const {
  return impl_->parser.get().keep_alive();
}

}  // namespace wave::http
