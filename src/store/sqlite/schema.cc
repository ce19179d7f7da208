#include "store/sqlite/schema.h"

#include <array>

#include "store/sqlite/schema_versions.h"

namespace wave::store::sqlite {

std::span<const Migration> migrations() {
  static const std::array kMigrations{
      Migration{1, kVersion1},
      Migration{2, kVersion2},
  };
  return kMigrations;
}

}  // namespace wave::store::sqlite
