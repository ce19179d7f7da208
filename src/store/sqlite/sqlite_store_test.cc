#include "store/sqlite/sqlite_store.h"

#include "store/conformance.h"

namespace wave::store {

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance,
                         testing::Values(StoreImplementation{"sqlite", open_store}),
                         [](const auto& info) { return info.param.name; });

}  // namespace wave::store
