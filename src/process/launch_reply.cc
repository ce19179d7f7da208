#include "process/launch_reply.h"

#include "base/json.h"
#include "base/text.h"
#include "process/attempt_files.h"

namespace wave::process {

std::string encode_reply(const Result<HostMeta>& reply) {
  if (reply) return encode_meta(*reply);
  const Error& error = reply.error();
  return dump_json(json::object{{"error", code_name(error.code)},
                                {"message", to_valid_utf8(error.message)},
                                {"hint", to_valid_utf8(error.hint)}});
}

Result<HostMeta> decode_reply(std::string_view text) {
  WAVE_TRY(const json::value value, parse_json(text, 8));
  if (value.is_object() && value.get_object().contains("error")) {
    const json::object& error = value.get_object();
    return fail(code_from_name(get_string(error, "error")).value_or(Code::kInternal),
                std::string(get_string(error, "message")), std::string(get_string(error, "hint")));
  }
  return decode_meta(text);
}

void send_reply(UniqueFd fd, const Result<HostMeta>& reply) {
  (void)write_all(fd.get(), encode_reply(reply));
}

}  // namespace wave::process
