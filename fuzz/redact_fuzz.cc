// No cut of a stream lets a secret through (promise S6): every form of a secret, between any bytes,
// cut anywhere.
#include <array>

#include "base/json.h"
#include "base/redact.h"
#include "fuzz.h"

namespace {

using namespace wave;

constexpr std::string_view kConfigured[] = {"correct horse battery", "s3cr3t-v4lue-123",
                                            "quote\"slash\\line\nend"};
// What has the form of a secret, and the part of it that must not be seen.
struct Form {
  std::string_view text, hidden;
};
constexpr Form kForms[] = {
    {" AKIAIOSFODNN7EXAMPLE ", "AKIAIOSFODNN7EXAMPLE"},
    {" sk-ant-api03-abcdefgh1234 ", "sk-ant-api03-abcdefgh1234"},
    {" ghp_abcdefghijklmnopqrst0123456789abcdef ", "ghp_abcdefghijklmnopqrst0123456789abcdef"},
    {" glpat-abcdefghij0123456789 ", "glpat-abcdefghij0123456789"},
    {" xoxb-1234567890-abcdef ", "xoxb-1234567890-abcdef"},
    {" eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl ", "eyJzdWIiOiJ4In0.c2lnbmF0dXJl"},
    {"\nAuthorization: Bearer 0123456789abcdef0123\n", "0123456789abcdef0123"},
    {"\npassword=hunter2hunter2\n", "hunter2hunter2"},
    {"\n-----BEGIN PRIVATE KEY-----\nMIIBVQIBADANBg\n-----END PRIVATE KEY-----\n",
     "MIIBVQIBADANBg"},
};

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6;) text += kDigits[(bits >> (count -= 6)) & 63];
  }
  if (count > 0) text += kDigits[(bits << (6 - count)) & 63];
  return text;
}

std::string percent(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    if (plain) {
      text += c;
    } else {
      text += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return text;
}

// The secret as it may be written, and what of it must not be seen.
std::pair<std::string, std::string> written(uint8_t choice) {
  if (choice % 2 == 0) {
    const Form& form = kForms[choice / 2 % std::size(kForms)];
    return {std::string(form.text), std::string(form.hidden)};
  }
  const std::string secret(kConfigured[choice / 2 % std::size(kConfigured)]);
  switch (choice / 8 % 4) {
    case 0:
      return {secret, secret};
    case 1: {
      // Within something longer, at each of three offsets: the digits in its middle are its own.
      const std::string padded = std::string(choice / 32 % 3, 'p') + secret + "q";
      const std::string text = base64(padded);
      return {text, text.substr(4, secret.size())};
    }
    case 2: {
      const std::string text = percent(secret);
      return {text, text};
    }
    default: {
      const std::string quoted = dump_json(json::string(secret));
      const std::string text = quoted.substr(1, quoted.size() - 2);
      return {text, text};
    }
  }
}

}  // namespace

// Bytes 0 and 1 choose the secret and its place, then come as many cuts as byte 2 says, then text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Redactor redactor(
      std::vector<std::string>(std::begin(kConfigured), std::end(kConfigured)));
  if (size < 4) return 0;
  const size_t cuts = std::min<size_t>(data[2] % 32 + 1, size - 3);
  std::string text(fuzz::text(data + 3 + cuts, size - 3 - cuts));
  const auto [secret, hidden] = written(data[0]);
  const size_t place = data[1] * text.size() / 255;
  text.insert(place, secret);

  StreamRedactor stream(redactor);
  std::string streamed;
  for (size_t at = 0, cut = 0; at < text.size(); ++cut) {
    const size_t step = data[3 + cut % cuts] % 64 + 1;
    streamed += stream.feed(std::string_view(text).substr(at, step));
    at += step;
  }
  streamed += stream.finish();

  fuzz::require(streamed == redactor.redact(text));
  fuzz::require(streamed.size() == text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    fuzz::require(streamed[i] == text[i] || streamed[i] == '*');
  }
  // The inserted secret itself, not another one that the text may happen to hold.
  const size_t at = place + secret.find(hidden);
  fuzz::require(std::string_view(streamed).substr(at, hidden.size()) ==
                std::string(hidden.size(), '*'));
  return 0;
}
