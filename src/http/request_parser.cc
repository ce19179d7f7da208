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
  boost::system::error_code error;
  const bool in_head = state_ == State::kHead;
  impl_->parser.eager(!in_head);
  const size_t taken = impl_->parser.put(asio::const_buffer(bytes.data(), bytes.size()), error);
  if (in_head && !error && !impl_->parser.is_header_done() &&
      bytes.size() > limits_.max_header_bytes) {
    return std::unexpected(Refusal{431, "the header fields are too large"});
  }
  if (error == beast::error::need_more) {
    if (in_head && taken == 0 && bytes.size() >= limits_.max_header_bytes) {
      return std::unexpected(Refusal{431, "the header fields are too large"});
    }
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

std::optional<Refusal> RequestParser::take_head() {
  const auto& message = impl_->parser.get();
  request_.method = std::string(message.method_string());
  request_.target = std::string(message.target());
  if (message.version() != 10 && message.version() != 11) {
    return Refusal{505, "only HTTP/1.1 and HTTP/1.0 are spoken"};
  }
  if (request_.target.size() > limits_.max_target_bytes) {
    return Refusal{414, "the target is too long"};
  }
  size_t hosts = 0;
  for (const auto& field : message) {
    if (request_.headers.fields().size() == limits_.max_headers) {
      return Refusal{431, "there are too many header fields"};
    }
    const std::string_view value(field.value().data(), field.value().size());
    if (value.contains('\r') || value.contains('\n') || value.contains('\0')) {
      return Refusal{400, "a header field is folded or has control characters"};
    }
    if (field.name() == beast::field::host && ++hosts > 1) {
      return Refusal{400, "there is more than one Host"};
    }
    request_.headers.add(std::string(field.name_string()), std::string(value));
  }
  // RFC 9112 section 3.2: exactly one Host in HTTP/1.1.
  const auto host = request_.headers.find("Host");
  if (message.version() == 11 && !host) return Refusal{400, "there is no Host"};
  if (host && !is_host(*host)) return Refusal{400, "Host is malformed"};
  // RFC 9112 section 6.1: both lengths at once is how requests are smuggled.
  if (request_.headers.find("Transfer-Encoding")) {
    if (request_.headers.find("Content-Length")) {
      return Refusal{400, "both Content-Length and Transfer-Encoding are given"};
    }
    if (!message.chunked() || message.version() == 10 ||
        request_.headers.all("Transfer-Encoding").size() > 1) {
      return Refusal{501, "this transfer coding is not understood"};
    }
  }
  if (request_.headers.all("Content-Length").size() > 1) {
    return Refusal{400, "there is more than one Content-Length"};
  }
  if (request_.method == "CONNECT" || request_.method == "TRACE") {
    return Refusal{501, "this method is not understood"};
  }
  if (request_.target == "*" && request_.method == "OPTIONS") {
    request_.path = "*";
    return std::nullopt;
  }
  if (!parse_target(request_.target, request_)) return Refusal{400, "the target is malformed"};
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

bool RequestParser::keep_alive() const {
  return impl_->parser.get().keep_alive();
}

}  // namespace wave::http
