#include "cli/error_printer.h"

#include <gtest/gtest.h>

namespace wave::cli {
namespace {

Error sample() {
  const Error inner(Code::kIo, "cannot read\x1b[2J it", "try again");
  return inner.wrapped("the manifest does not load").at({"wave.yaml", 3, 5});
}

TEST(Promises, O6_ErrorsSayWhatWhereWhyAndWhatNext) {
  EXPECT_EQ(error_text(sample(), false),
            "error[io_error]: the manifest does not load\n"
            "  --> wave.yaml:3:5\n"
            "  because: cannot read[2J it\n"
            "  hint: try again\n");
}

TEST(Promises, O6_ErrorsAreReadableByPrograms) {
  EXPECT_EQ(dump_json(error_json(sample())),
            "{\"error\":{\"code\":\"io_error\",\"message\":\"the manifest does not load\","
            "\"hint\":\"try again\",\"source\":{\"file\":\"wave.yaml\",\"line\":3,\"column\":5},"
            "\"causes\":[\"cannot read\\u001b[2J it\"]}}");
}

TEST(ErrorPrinter, ColoursOnlyWhenAsked) {
  EXPECT_EQ(error_text(sample(), false).find('\x1b'), std::string::npos);
  EXPECT_NE(error_text(sample(), true).find("\x1b[1;31m"), std::string::npos);
}

}  // namespace
}  // namespace wave::cli
