// What every implementation of Store has to pass: instantiate StoreConformance with a way to open
// it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "store/store.h"
#include "store/test_support.h"

namespace wave::store {

/// One implementation. `open` may be called several times for one project: another opening sees
/// what the earlier ones stored, whether they are still open or not.
struct StoreImplementation {
  std::string name;
  std::function<Result<std::unique_ptr<Store>>(const StatePaths&, const OpenOptions&)> open;
};

class StoreConformance : public testing::TestWithParam<StoreImplementation> {
 protected:
  void SetUp() override { store_ = open(); }

  std::unique_ptr<Store> open(const OpenOptions& options = {}) {
    auto opened = GetParam().open(folder_.paths(), options);
    if (!opened) throw std::runtime_error(full_message(opened.error()));
    return std::move(*opened);
  }
  void reopen() {
    store_.reset();
    store_ = open();
  }

  TemporaryProject folder_;
  std::unique_ptr<Store> store_;
};

}  // namespace wave::store
