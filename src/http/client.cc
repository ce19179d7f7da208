#include "http/client.h"

#include <fmt/core.h>

#include <array>

#include "http/response_parser.h"
#include "http/url.h"
#include "http/wire.h"

namespace wave::http {
namespace {

bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kOthers.contains(c);
  });
}

bool is_field_value(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; });
}

/// The head and the body in one piece: one packet where they are small.
Result<std::string> render_request(const ClientOptions& options, const Url& url) {
  if (!is_token(options.method)) return fail(Code::kUsage, "the method is not a word");
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
                                 options.method, url.target, url.authority());
  for (const auto& [name, value] : options.headers.fields()) {
    // Values are not repeated: one may be a token.
    if (!is_token(name) || !is_field_value(value)) {
      return fail(Code::kUsage, "a header field holds bytes that it must not hold",
                  "line breaks and other control characters do not belong into it");
    }
    text += fmt::format("{}: {}\r\n", name, value);
  }
  if (!options.headers.find("User-Agent")) text += "User-Agent: wave\r\n";
  const bool may_have_body = options.method != "GET" && options.method != "HEAD";
  if (may_have_body || !options.body.empty())
    text += fmt::format("Content-Length: {}\r\n", options.body.size());
  text += "\r\n";
  text += options.body;
  return text;
}

std::unexpected<Error> too_large(size_t limit) {
  return fail(Code::kLimit, fmt::format("the server's answer is larger than {} bytes", limit));
}

/// One request and its answer under way.
class Exchange {
 public:
  Exchange(Wire wire, bool head_only) : wire_(std::move(wire)), parser_(head_only) {}

  /// Sends; a server that refuses may answer before it has read everything, and close.
  Status send(const std::string& request, const Patience& patience) {
    auto sent = wire_.send(request, patience);
    if (sent || sent.error().code != Code::kServerUnreachable) return sent;
    send_error_ = std::move(sent).error();
    return {};
  }

  Status read_head(const Patience& patience) {
    while (!parser_.has_head()) WAVE_CHECK(read(patience));
    return {};
  }

  /// The next piece of the body, empty when it has ended.
  Result<std::string> next_piece(const Patience& patience) {
    std::string piece = parser_.take_body();
    while (piece.empty() && !parser_.done()) {
      WAVE_CHECK(read(patience));
      piece = parser_.take_body();
    }
    return piece;
  }

  Result<Response> whole(size_t limit, const Patience& patience) {
    Response response = parser_.head();
    if (parser_.announced_length().value_or(0) > limit && !parser_.done()) return too_large(limit);
    std::string body;
    while (true) {
      WAVE_TRY(const std::string piece, next_piece(patience));
      if (piece.empty()) break;
      if (piece.size() > limit - body.size()) return too_large(limit);
      body += piece;
    }
    response.body = std::move(body);
    return response;
  }

  [[nodiscard]] const Response& head() const { return parser_.head(); }

 private:
  Status read(const Patience& patience) {
    std::array<char, 16 << 10> buffer;
    auto taken = wire_.receive(buffer, patience);
    if (!taken) return fail(send_error_ ? *send_error_ : std::move(taken).error());
    if (*taken == 0) return parser_.feed_end();
    return parser_.feed({buffer.data(), *taken});
  }

  Wire wire_;
  ResponseParser parser_;
  std::optional<Error> send_error_;
};

/// Up to the head of the answer.
Result<Exchange> begin(const ClientOptions& options, const Patience& patience) {
  WAVE_TRY(const Url url, parse_url(options.url));
  WAVE_TRY(const std::string request, render_request(options, url));
  WAVE_TRY(Wire wire,
           Wire::open(url, {options.ca_file, options.certificate, options.key}, patience));
  Exchange exchange(std::move(wire), options.method == "HEAD");
  WAVE_CHECK(exchange.send(request, patience));
  WAVE_CHECK(exchange.read_head(patience));
  return exchange;
}

}  // namespace

Result<Response> fetch(const ClientOptions& options) {
  const Patience patience(options.timeout, options.cancel_fd);
  WAVE_TRY(Exchange exchange, begin(options, patience));
  return exchange.whole(options.max_body, patience);
}

Result<Response> stream(const ClientOptions& options, const TakePiece& take) {
  const Patience patience(options.timeout, options.cancel_fd);
  WAVE_TRY(Exchange exchange, begin(options, patience));
  if (exchange.head().status / 100 != 2) return exchange.whole(options.max_body, patience);
  while (true) {
    WAVE_TRY(const std::string piece, exchange.next_piece(patience.renewed(options.silence_limit)));
    if (piece.empty() || !take(piece)) return exchange.head();
  }
}

}  // namespace wave::http
