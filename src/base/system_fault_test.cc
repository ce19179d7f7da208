#include "base/system_fault.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

namespace wave {
namespace {

TEST(SystemFault, AShortageIsNeverAbsence) {
  for (const int err : {EMFILE, ENFILE, ENOMEM, EAGAIN}) {
    const Error error = errno_error(err, "cannot open", "x");
    EXPECT_EQ(error.code, Code::kScarce) << std::strerror(err);
    EXPECT_TRUE(is_shortage(error));
    EXPECT_TRUE(is_retryable(error.code));
    EXPECT_EQ(http_status(error.code), 503);
    EXPECT_FALSE(error.hint.empty());
  }
  EXPECT_EQ(errno_error(ENOENT, "cannot open", "x").code, Code::kNotFound);
  EXPECT_FALSE(is_shortage(Code::kNotFound));
}

TEST(SystemFault, OtherProgramsReportTheSameKindsAsText) {
  for (const int err : {EMFILE, ENFILE, ENOMEM, EAGAIN, ENOSPC, EDQUOT, EFBIG, EIO, EROFS}) {
    EXPECT_EQ(fault_in_message(std::string("fatal: cannot do it: ") + std::strerror(err)),
              system_fault(err))
        << std::strerror(err);
  }
  EXPECT_EQ(fault_in_message("fatal: not a git repository"), std::nullopt);
}

TEST(SystemFault, AWatchSeesWhatOtherCodeTookForAbsence) {
  const ShortageWatch before;
  const auto exists = [](int err) {
    const Error error = errno_error(err, "cannot open", "a file");
    return error.message.empty();  // like code that asks only whether it worked
  };
  EXPECT_FALSE(exists(ENOENT));
  EXPECT_FALSE(before.seen());
  EXPECT_EQ(before.behind(Error(Code::kNotFound, "none")).code, Code::kNotFound);
  EXPECT_FALSE(exists(EMFILE));
  const ShortageWatch after;
  ASSERT_TRUE(before.seen());
  EXPECT_EQ(before.behind(Error(Code::kNotFound, "none")).code, Code::kScarce);
  EXPECT_FALSE(after.seen());
}

}  // namespace
}  // namespace wave
