// What each version of the schema adds to the one before; a file for each. A new one gets its file,
// a line here and one in schema.cc.
#pragma once

#include <string_view>

namespace wave::store::sqlite {

extern const std::string_view kVersion1;
extern const std::string_view kVersion2;

}  // namespace wave::store::sqlite
