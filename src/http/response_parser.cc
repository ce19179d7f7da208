#include "http/response_parser.h"

#include <fmt/core.h>

#include <boost/beast/http/parser.hpp>

namespace wave::http {
namespace {

namespace beast = boost::beast::http;
using ErrorCode = boost::beast::error_code;

constexpr uint32_t kMaxHeadBytes = 64 << 10;
// Of a chunked body: "0", and two line ends. Beast asserts that less never comes by itself.
constexpr size_t kShortestResponseEnd = 5;

/// Hands a body's bytes on; reserves nothing, whatever length a server announces.
struct PieceBody {
  using value_type = std::string;
  class reader {
   public:
    template <bool kIsRequest, typename Fields>
    reader(beast::header<kIsRequest, Fields>&, value_type& body) : body_(body) {}
    void init(const boost::optional<uint64_t>&, ErrorCode& error) { error = {}; }
    template <typename Buffers>
    size_t put(const Buffers& buffers, ErrorCode& error) {
      error = {};
      size_t taken = 0;
      for (auto it = boost::asio::buffer_sequence_begin(buffers);
           it != boost::asio::buffer_sequence_end(buffers); ++it) {
        const boost::asio::const_buffer piece = *it;
        body_.append(static_cast<const char*>(piece.data()), piece.size());
        taken += piece.size();
      }
      return taken;
    }
    void finish(ErrorCode& error) { error = {}; }

   private:
    value_type& body_;
  };
};

std::unexpected<Error> not_http(std::string_view why) {
  return fail(Code::kServerUnreachable,
              fmt::format("the server's answer is not valid HTTP: {}", why),
              "look whether the URL names the right server and port");
}

}  // namespace

struct ResponseParser::Impl {
  beast::response_parser<PieceBody> parser;
};

ResponseParser::ResponseParser(bool head_only) : head_only_(head_only) {
  reset();
}
ResponseParser::ResponseParser(ResponseParser&&) noexcept = default;
ResponseParser::~ResponseParser() = default;

void ResponseParser::reset() {
  impl_ = std::make_unique<Impl>();
  impl_->parser.header_limit(kMaxHeadBytes);
  impl_->parser.body_limit(boost::none);  // the caller counts what it takes
  impl_->parser.skip(head_only_);
  has_head_ = false;
}

bool ResponseParser::done() const {
  return has_head_ && impl_->parser.is_done();
}

Status ResponseParser::feed(std::string_view bytes) {
  pending_.append(bytes);
  std::string_view rest = pending_;
  while (!rest.empty() && !done()) {
    const bool at_first_chunk = has_head_ && impl_->parser.chunked() && !body_begun_;
    if (at_first_chunk && rest.size() < kShortestResponseEnd) break;
    ErrorCode error;
    const size_t used =
        impl_->parser.put(boost::asio::const_buffer(rest.data(), rest.size()), error);
    rest.remove_prefix(used);
    body_begun_ = has_head_ && (body_begun_ || used > 0);
    if (error && error != beast::error::need_more) return not_http(error.message());
    if (!has_head_ && impl_->parser.is_header_done()) take_head();
    if (error == beast::error::need_more) break;
    if (used == 0 && has_head_ && !impl_->parser.is_done()) break;
  }
  pending_.erase(0, pending_.size() - rest.size());
  return {};
}

Status ResponseParser::feed_end() {
  if (done()) return {};
  ErrorCode error = beast::error::partial_message;
  if (has_head_ && pending_.empty()) {
    error = {};
    impl_->parser.put_eof(error);
  }
  if (!error) return {};
  return fail(Code::kServerUnreachable, "the server closed the connection within its answer",
              "try again; the server's log may tell why");
}

void ResponseParser::take_head() {
  const auto& message = impl_->parser.get();
  const int status = message.result_int();
  if (status >= 100 && status < 200 && status != 101) {
    // Interim: it has no body, and the answer itself is still to come.
    reset();
    return;
  }
  has_head_ = true;
  head_ = Response{.status = status};
  for (const auto& field : message) {
    const auto name = field.name_string(), value = field.value();
    head_.headers.add(std::string(name.data(), name.size()),
                      std::string(value.data(), value.size()));
  }
}

std::string ResponseParser::take_body() {
  return std::exchange(impl_->parser.get().body(), {});
}

std::optional<uint64_t> ResponseParser::announced_length() const {
  const auto length = impl_->parser.content_length();
  return length ? std::optional<uint64_t>(*length) : std::nullopt;
}

bool ResponseParser::ends_with_connection() const {
  return impl_->parser.need_eof();
}

}  // namespace wave::http
