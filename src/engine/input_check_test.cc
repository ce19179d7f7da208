#include "engine/input_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wave::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

model::PipelineInput wants(std::string_view schema) {
  model::PipelineInput input;
  input.schema = parse_json(schema).value().get_object();
  return input;
}

std::vector<std::string> pointers(std::string_view schema, std::string_view input) {
  const Status checked = check_input(wants(schema), input);
  std::vector<std::string> places;
  if (checked) return places;
  EXPECT_EQ(checked.error().code, Code::kUsage) << full_message(checked.error());
  for (const Error& one : checked.error().others) places.push_back(one.source.value().file);
  return places;
}

constexpr std::string_view kRelease = R"({
  "type": "object", "required": ["version", "target"], "additionalProperties": false,
  "properties": {
    "version": {"type": "string", "pattern": "^[0-9]+\\.[0-9]+$"},
    "target": {"type": "object", "required": ["host"], "properties": {
      "host": {"type": "string"}, "a/b": {"type": "integer", "minimum": 1}}},
    "tags": {"type": "array", "items": {"type": "string"}}}})";

TEST(InputCheck, NamesTheFieldThatIsWrongOrMissing) {
  EXPECT_THAT(pointers(kRelease, R"({"version":"2.4","target":{"host":"a"}})"), IsEmpty());
  EXPECT_THAT(pointers(kRelease, R"({"version":"two","target":{"a/b":0},"tags":["x",1]})"),
              UnorderedElementsAre("/input/version", "/input/target/host", "/input/target/a~1b",
                                   "/input/tags/1"));
  EXPECT_THAT(pointers(kRelease, "{}"), UnorderedElementsAre("/input/version", "/input/target"));
}

TEST(InputCheck, AsksForJsonWhereTheSchemaDoesNotAskForText) {
  EXPECT_THAT(pointers(kRelease, "Release 2.4"), ElementsAre("/input"));
  EXPECT_THAT(pointers(kRelease, ""), ElementsAre("/input"));
  EXPECT_THAT(pointers(R"({"type": "integer", "minimum": 3})", "4"), IsEmpty());
  EXPECT_THAT(pointers(R"({"type": "integer", "minimum": 3})", "2"), ElementsAre("/input"));
}

TEST(InputCheck, TakesTextAsItIsWhereTheSchemaAsksForText) {
  constexpr std::string_view kSchema = R"({"type": "string", "enum": ["1", "two"]})";
  EXPECT_THAT(pointers(kSchema, "1"), IsEmpty());
  EXPECT_THAT(pointers(kSchema, "3"), ElementsAre("/input"));
}

TEST(InputCheck, HoldsNothingThatIsForDisplay) {
  EXPECT_THAT(pointers(R"({"type": "object", "description": "an issue"})", "acme/rocket 42"),
              IsEmpty());
  EXPECT_THAT(pointers("{}", "anything"), IsEmpty());
}

TEST(InputCheck, SaysSoWhenTheSchemaIsNone) {
  const Status checked = check_input(wants(R"({"type": "object", "required": 3})"), "{}");
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Code::kInvalidPipeline);
  EXPECT_THAT(full_message(checked.error()), HasSubstr("/required"));
}

}  // namespace
}  // namespace wave::engine
