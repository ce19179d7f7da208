// What names one credential, so that it can be ended: a token's id, or a certificate's fingerprint.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace wave::auth {

/// An id that somebody says is one, in the spelling that credentials carry: the fingerprint of a
/// certificate however a tool writes it ("AB:CD:...", "sha256 Fingerprint=...") as 64 lower-case
/// hexadecimal digits, any other id as it is. kUsage for what no credential has as its id: an
/// empty text, more than 256 bytes, a whole token, a fingerprint of another length.
Result<std::string> credential_id(std::string_view text);

/// The same of something that may be anything: a token (its `jti`), a fingerprint, or an id that
/// looks like one: as `wave token create` makes them, or a UUID (RFC 9562). kUsage for anything
/// else, such as a subject: revoking what no credential carries would end nothing.
Result<std::string> recognize_credential(std::string_view text);

}  // namespace wave::auth
