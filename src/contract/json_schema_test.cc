#include "contract/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

namespace wave::contract {
namespace {

using ::testing::HasSubstr;

json::value parsed(std::string_view text) {
  auto value = parse_json(text, 100'000);
  EXPECT_TRUE(value) << text;
  return value ? *value : json::value();
}

JsonSchema compiled(std::string_view schema, const SchemaOptions& options = {}) {
  auto result = JsonSchema::compile(parsed(schema), options);
  if (!result) throw std::runtime_error(full_message(result.error()));
  return *std::move(result);
}

std::vector<SchemaError> errors_of(std::string_view schema, std::string_view instance) {
  return compiled(schema).validate(parsed(instance)).value();
}

bool valid(std::string_view schema, std::string_view instance) {
  return errors_of(schema, instance).empty();
}

std::string first_message(std::string_view schema, std::string_view instance) {
  const auto errors = errors_of(schema, instance);
  return errors.empty() ? "valid" : errors[0].instance + ": " + errors[0].message;
}

std::string compile_error(std::string_view schema) {
  const auto result = JsonSchema::compile(parsed(schema));
  if (result) return "compiles";
  EXPECT_EQ(result.error().code, Code::kUsage);
  return result.error().message;
}

// --- 2020-12 ---

TEST(JsonSchema2020, PrefixItemsAndItems) {
  constexpr std::string_view kSchema = R"({"prefixItems":[{"type":"string"},{"type":"integer"}],
                                           "items":{"type":"boolean"}})";
  EXPECT_TRUE(valid(kSchema, R"(["a", 1, true, false])"));
  EXPECT_TRUE(valid(kSchema, R"(["a"])"));
  EXPECT_TRUE(valid(kSchema, "{}"));
  EXPECT_FALSE(valid(kSchema, R"(["a", 1, 2])"));
  EXPECT_FALSE(valid(kSchema, "[1]"));
  EXPECT_THAT(compile_error(R"({"items":[{}]})"), HasSubstr("\"/items\""));
}

TEST(JsonSchema2020, ContainsWithBounds) {
  constexpr std::string_view kSchema =
      R"({"contains":{"const":1},"minContains":2,"maxContains":3})";
  EXPECT_FALSE(valid(kSchema, "[1]"));
  EXPECT_TRUE(valid(kSchema, "[1,2,1]"));
  EXPECT_TRUE(valid(kSchema, "[1,1,1.0,2]"));
  EXPECT_FALSE(valid(kSchema, "[1,1,1,1]"));
  EXPECT_TRUE(valid(R"({"contains":{"const":1},"minContains":0})", "[]"));
  EXPECT_FALSE(valid(R"({"contains":{"const":1}})", "[]"));
  EXPECT_TRUE(valid(R"({"minContains":2})", "[]"));
}

TEST(JsonSchema2020, UnevaluatedPropertiesSeeThroughApplicators) {
  constexpr std::string_view kSchema = R"({
      "properties": {"a": true},
      "allOf": [{"properties": {"b": true}}, {"$ref": "#/$defs/c"}],
      "anyOf": [{"properties": {"d": {"const": 1}}, "required": ["d"]}, {"properties": {"e": true}}],
      "if": {"properties": {"f": {"const": 1}}, "required": ["f"]},
      "then": {"properties": {"g": true}},
      "dependentSchemas": {"a": {"properties": {"h": true}}},
      "unevaluatedProperties": false,
      "$defs": {"c": {"patternProperties": {"^c": true}}}})";
  EXPECT_TRUE(valid(kSchema, R"({"a":1,"b":1,"cc":1})"));
  EXPECT_TRUE(valid(kSchema, R"({"d":1,"e":1})"));
  EXPECT_FALSE(valid(kSchema, R"({"d":2})"));
  EXPECT_TRUE(valid(kSchema, R"({"f":1,"g":1})"));
  EXPECT_FALSE(valid(kSchema, R"({"g":1})"));
  EXPECT_FALSE(valid(kSchema, R"({"f":2})"));
  EXPECT_TRUE(valid(kSchema, R"({"a":1,"h":1})"));
  EXPECT_FALSE(valid(kSchema, R"({"h":1})"));
  EXPECT_FALSE(valid(kSchema, R"({"z":1})"));
}

TEST(JsonSchema2020, UnevaluatedDoesNotSeeCousins) {
  EXPECT_FALSE(valid(R"({"allOf":[{"properties":{"a":true}},{"unevaluatedProperties":false}]})",
                     R"({"a":1})"));
  EXPECT_FALSE(valid(R"({"not":{"not":{"properties":{"a":true}}},"unevaluatedProperties":false})",
                     R"({"a":1})"));
  EXPECT_TRUE(valid(R"({"allOf":[{"additionalProperties":true}],"unevaluatedProperties":false})",
                    R"({"a":1})"));
  EXPECT_TRUE(valid(R"({"allOf":[{"unevaluatedProperties":true}],"unevaluatedProperties":false})",
                    R"({"a":1})"));
}

TEST(JsonSchema2020, UnevaluatedItems) {
  constexpr std::string_view kSchema = R"({
      "prefixItems": [{"type": "string"}],
      "anyOf": [{"prefixItems": [true, {"const": 1}]}, {"prefixItems": [true, true, {"const": 2}]}],
      "contains": {"type": "boolean"}, "minContains": 0,
      "unevaluatedItems": false})";
  EXPECT_TRUE(valid(kSchema, R"(["a"])"));
  EXPECT_TRUE(valid(kSchema, R"(["a", 1])"));
  EXPECT_TRUE(valid(kSchema, R"(["a", 5, 2])"));
  EXPECT_TRUE(valid(kSchema, R"(["a", 1, 2, true, false])"));
  EXPECT_FALSE(valid(kSchema, R"(["a", 1, 3])"));
  EXPECT_FALSE(valid(kSchema, R"(["a", 1, 2, "x"])"));
  EXPECT_TRUE(valid(R"({"items":true,"unevaluatedItems":false})", "[1,2]"));
  EXPECT_FALSE(valid(R"({"unevaluatedItems":{"type":"string"}})", "[1]"));
}

TEST(JsonSchema2020, DynamicRefTakesTheOutermostAnchor) {
  constexpr std::string_view kStrictTree = R"({
      "$id": "http://x.test/strict", "$dynamicAnchor": "node", "$ref": "tree",
      "unevaluatedProperties": false,
      "$defs": {"tree": {
          "$id": "tree", "$dynamicAnchor": "node", "type": "object",
          "properties": {"data": true,
                         "children": {"type": "array", "items": {"$dynamicRef": "#node"}}}}}})";
  EXPECT_TRUE(valid(kStrictTree, R"({"children":[{"data":1}]})"));
  EXPECT_FALSE(valid(kStrictTree, R"({"children":[{"daat":1}]})"));
  // Without a dynamic anchor at its own target it is an ordinary reference.
  constexpr std::string_view kPlain = R"({
      "$id": "http://x.test/plain", "$dynamicRef": "#a",
      "$defs": {"a": {"$anchor": "a", "type": "string"}}})";
  EXPECT_TRUE(valid(kPlain, R"("x")"));
  EXPECT_FALSE(valid(kPlain, "1"));
}

TEST(JsonSchema2020, DependentKeywordsAndRefSiblings) {
  EXPECT_FALSE(valid(R"({"dependentRequired":{"a":["b"]}})", R"({"a":1})"));
  EXPECT_TRUE(valid(R"({"dependentRequired":{"a":["b"]}})", R"({"b":1})"));
  EXPECT_FALSE(valid(R"({"dependentSchemas":{"a":{"minProperties":2}}})", R"({"a":1})"));
  EXPECT_FALSE(
      valid(R"({"$ref":"#/$defs/s","maxLength":2,"$defs":{"s":{"type":"string"}}})", R"("abc")"));
  EXPECT_TRUE(valid(R"({"$schema":"http://json-schema.org/draft-07/schema#","allOf":[
                        {"$ref":"#/definitions/s","maxLength":2}],
                        "definitions":{"s":{"type":"string"}}})",
                    R"("abc")"));
}

TEST(JsonSchema2020, TheMetaschemasAreThere) {
  constexpr std::string_view kMeta = R"({"$ref":"https://json-schema.org/draft/2020-12/schema"})";
  EXPECT_TRUE(valid(kMeta, R"({"type":"object","properties":{"a":{"minimum":1}}})"));
  EXPECT_FALSE(valid(kMeta, R"({"properties":{"a":{"type":"strnig"}}})"));
  EXPECT_FALSE(valid(kMeta, R"({"allOf":[{"not":{"minLength":-1}}]})"));
}

TEST(JsonSchema2020, AnchorsAndEmbeddedResources) {
  constexpr std::string_view kSchema = R"({
      "$id": "https://x.test/root.json", "$ref": "inner.json#name",
      "$defs": {"inner": {"$id": "inner.json", "$defs": {"n": {"$anchor": "name", "type": "null"}}}}})";
  EXPECT_TRUE(valid(kSchema, "null"));
  EXPECT_FALSE(valid(kSchema, "1"));
}

// --- What agents read ---

TEST(JsonSchemaMessages, SayWhatIsWantedAndWhatIsThere) {
  EXPECT_EQ(first_message(R"({"properties":{"a":{"type":["string","null"]}}})", R"({"a":3})"),
            "/a: must be null or a string, is a number (3)");
  EXPECT_EQ(first_message(R"({"items":{"enum":["high","low"]}})", R"(["hihg"])"),
            "/0: must be one of \"high\", \"low\"; is \"hihg\"; did you mean \"high\"?");
  EXPECT_EQ(first_message(R"({"required":["title"],"properties":{"title":
                              {"type":"string","description":"of the issue"}}})",
                          R"({"titel":"x"})"),
            ": lacks the required property \"title\" (a string: of the issue); there is \"titel\": "
            "rename it?");
  EXPECT_EQ(
      first_message(R"({"properties":{"title":true,"body":true},
                              "additionalProperties":false})",
                    R"({"titel":1})"),
      ": has the unknown property \"titel\"; did you mean \"title\"?; allowed are body, title");
  EXPECT_EQ(first_message(R"({"minLength":3})", R"("é")"),
            ": must have at least 3 characters, has 1");
  EXPECT_EQ(first_message(R"({"uniqueItems":true})", R"([1,2,1.0])"),
            ": must not have equal items; items 0 and 2 are both 1");
  EXPECT_EQ(first_message(R"({"maximum":5})", "7"), ": must be at most 5, is 7");
  EXPECT_EQ(first_message(R"({"const":{"a":1}})", "7"), R"(: must be {"a":1}, is 7)");
  EXPECT_EQ(first_message(R"({"not":{"type":"string"}})", R"("x")"),
            ": must not match the schema at \"/not\"; is a string (\"x\")");
}

TEST(JsonSchemaMessages, PlacesAreJsonPointers) {
  const auto errors = errors_of(
      R"({"$ref":"#/$defs/a~1b","$defs":{"a/b":{"properties":{"x~y":{"items":{"type":"null"}}}}}})",
      R"({"x~y":[null,1]})");
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].instance, "/x~0y/1");
  EXPECT_EQ(errors[0].schema, "/$defs/a~1b/properties/x~0y/items/type");
  EXPECT_EQ(errors[0].keyword, "type");
}

TEST(JsonSchemaMessages, TheNearestAlternativeIsExplained) {
  const auto errors = errors_of(R"({"oneOf":[
      {"type":"object","properties":{"kind":{"const":"file"},"path":{"type":"string"}},
       "required":["kind","path"]},
      {"type":"object","properties":{"kind":{"const":"url"},"url":{"type":"string"}},
       "required":["kind","url"]},
      {"type":"string"}]})",
                                R"({"kind":"url","path":"x"})");
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_THAT(errors[0].message, HasSubstr("nearest is number 2"));
  EXPECT_THAT(errors[1].message, HasSubstr("lacks the required property \"url\""));
  EXPECT_THAT(first_message(R"({"oneOf":[{"minimum":1},{"maximum":5}]})", "3"),
              HasSubstr("exactly one of 2 alternatives; matches 1"));
}

TEST(JsonSchemaMessages, AreBoundedWhateverTheInstance) {
  SchemaOptions options;
  options.max_errors = 7;
  const JsonSchema schema = compiled(R"({"items":{"type":"null"}})", options);
  json::array items;
  for (int i = 0; i < 1000; ++i) items.emplace_back(std::string(10'000, 'x'));
  const auto errors = schema.validate(items).value();
  ASSERT_EQ(errors.size(), 7U);
  for (const SchemaError& error : errors) EXPECT_LT(error.message.size(), 400U);
}

// --- Wrong schemas ---

TEST(JsonSchemaCompile, AWrongSchemaSaysWhere) {
  EXPECT_THAT(compile_error("3"), HasSubstr("its root"));
  EXPECT_THAT(compile_error(R"({"type":"strng"})"), HasSubstr("did you mean \"string\"?"));
  EXPECT_THAT(compile_error(R"({"properties":{"a":{"minLength":-1}}})"),
              HasSubstr("/properties/a/minLength"));
  EXPECT_THAT(compile_error(R"({"properties":{"a":3}})"), HasSubstr("/properties/a"));
  EXPECT_THAT(compile_error(R"({"allOf":[]})"), HasSubstr("must not be empty"));
  EXPECT_THAT(compile_error(R"({"pattern":"("})"), HasSubstr("/pattern"));
  EXPECT_THAT(compile_error(R"({"$defs":{"unused":{"pattern":"("}}})"), HasSubstr("unused"));
  EXPECT_THAT(compile_error(R"({"required":"a"})"), HasSubstr("/required"));
  EXPECT_THAT(compile_error(R"({"multipleOf":0})"), HasSubstr("greater than 0"));
  EXPECT_THAT(compile_error(R"({"$ref":"#/$defs/none"})"), HasSubstr("does not exist"));
  EXPECT_THAT(compile_error(R"({"$ref":"other.json"})"), HasSubstr("cannot be had"));
  EXPECT_THAT(compile_error(R"({"$ref":"#nowhere"})"), HasSubstr("#nowhere"));
  EXPECT_THAT(compile_error(R"({"$schema":"http://json-schema.org/draft-04/schema#"})"),
              HasSubstr("not a supported draft"));
}

TEST(JsonSchemaCompile, EndlessReferencesAreRefused) {
  EXPECT_THAT(compile_error(R"({"$ref":"#"})"), HasSubstr("never end"));
  EXPECT_THAT(compile_error(R"({"$ref":"#/$defs/a","$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},
                                "b":{"$ref":"#/$defs/a"}}})"),
              HasSubstr("never end"));
  // Through a condition it is seen only when it happens.
  const JsonSchema hidden = compiled(R"({"anyOf":[{"type":"null"},{"$ref":"#"}]})");
  EXPECT_TRUE(hidden.validate(parsed("null")).value().empty());
  const auto answer = hidden.validate(parsed("1"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUsage);
  // A recursive schema that descends is fine.
  EXPECT_TRUE(valid(R"({"properties":{"next":{"$ref":"#"}}})", R"({"next":{"next":{}}})"));
}

// --- Hostile ones ---

TEST(JsonSchemaLimits, UniqueItemsIsNotQuadratic) {
  json::array items;
  for (int i = 0; i < 100'000; ++i) items.emplace_back(json::object{{"id", i}, {"name", "n"}});
  const JsonSchema schema = compiled(R"({"uniqueItems":true})");
  // A budget of 20 million steps does not allow 100,000 squared comparisons.
  EXPECT_TRUE(schema.validate(items).value().empty());
  items.emplace_back(json::object{{"name", "n"}, {"id", 77.0}});
  EXPECT_EQ(schema.validate(items).value().size(), 1U);
}

TEST(JsonSchemaLimits, DeepInstancesEndInALimit) {
  const JsonSchema schema = compiled(R"({"items":{"$ref":"#"}})");
  const auto nested = [](size_t depth) {
    return parsed(std::string(depth, '[') + std::string(depth, ']'));
  };
  EXPECT_TRUE(schema.validate(nested(128)).value().empty());
  const auto answer = schema.validate(nested(5'000));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kLimit);
}

TEST(JsonSchemaLimits, AnExplosionOfBranchesEndsInALimit) {
  // Each level asks the next one twice: 2^60 ways to the end.
  std::string schema = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 60; ++i) {
    schema += fmt::format(
        R"("d{0}":{{"oneOf":[{{"$ref":"#/$defs/d{1}"}},{{"$ref":"#/$defs/d{1}"}}]}},)", i, i + 1);
  }
  schema += R"("d60":{"type":"null"}}})";
  const auto answer = compiled(schema).validate(parsed("1"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kLimit);
}

TEST(JsonSchemaLimits, AHostilePatternEndsInALimit) {
  const JsonSchema schema = compiled(R"({"pattern":"^(?=x|a)(a+)+\\1$"})");
  const auto answer = schema.validate(json::value(std::string(5'000, 'a') + "!"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kLimit);
}

// Each search alone is below the limit of one search; all together would take an hour.
TEST(JsonSchemaLimits, ManyExpensiveSearchesEndInALimit) {
  const JsonSchema schema = compiled(R"json({"items":{"pattern":"^(?=a)(a+)+\\1x"}})json");
  json::array items;
  for (int i = 0; i < 500'000; ++i) items.emplace_back("aaaaaaaaaaaa");
  const auto answer = schema.validate(items);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kLimit);
  EXPECT_THAT(answer.error().message, HasSubstr("steps"));
}

TEST(JsonSchemaLimits, DeepSchemasAreRefused) {
  std::string schema;
  for (int i = 0; i < 1'000; ++i) schema += R"({"not":)";
  schema += "true" + std::string(1'000, '}');
  EXPECT_FALSE(JsonSchema::compile(parsed(schema)));
  // A long chain of references is no depth of the schema, but one of the evaluation.
  std::string chain = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 20'000; ++i)
    chain += fmt::format(R"("d{}":{{"$ref":"#/$defs/d{}"}},)", i, i + 1);
  chain += R"("d20000":true}})";
  const auto answer = compiled(chain).validate(parsed("1"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kLimit);
}

/// JSON made of the words of schemas, so that much of it compiles.
class RandomJson {
 public:
  explicit RandomJson(uint64_t seed) : random_(seed) {}

  json::value value(int depth) {
    static constexpr std::array kKeys{"type",
                                      "properties",
                                      "items",
                                      "$ref",
                                      "anyOf",
                                      "oneOf",
                                      "allOf",
                                      "not",
                                      "enum",
                                      "const",
                                      "a",
                                      "b",
                                      "$id",
                                      "$defs",
                                      "$anchor",
                                      "$dynamicRef",
                                      "$dynamicAnchor",
                                      "pattern",
                                      "if",
                                      "then",
                                      "required",
                                      "unevaluatedProperties",
                                      "unevaluatedItems",
                                      "contains",
                                      "minimum",
                                      "patternProperties",
                                      "additionalProperties",
                                      "uniqueItems",
                                      "minContains",
                                      "$schema",
                                      "propertyNames",
                                      "dependentSchemas",
                                      "prefixItems",
                                      "multipleOf",
                                      "format",
                                      "maxLength"};
    static constexpr std::array kTexts{"string", "object", "#",   "#a",     "#/$defs/a",
                                       "a",      "b",      "^a",  "(a+)+$", "http://x.test/",
                                       "number", "",       "date"};
    switch (pick(depth <= 0 ? 5 : 9)) {
      case 0:
        return nullptr;
      case 1:
        return pick(2) == 0;
      case 2:
        return static_cast<int64_t>(pick(7)) - 2;
      case 3:
        return static_cast<double>(pick(100)) / 8;
      case 4:
        return json::value(kTexts[pick(kTexts.size())]);
      case 5: {
        json::array array;
        for (size_t i = pick(4); i > 0; --i) array.push_back(value(depth - 1));
        return array;
      }
      default: {
        json::object object;
        for (size_t i = pick(5); i > 0; --i) object[kKeys[pick(kKeys.size())]] = value(depth - 1);
        return object;
      }
    }
  }

 private:
  size_t pick(size_t count) { return static_cast<size_t>(random_() % count); }

  std::mt19937_64 random_;
};

TEST(JsonSchemaLimits, RandomSchemasAndInstancesNeverBreakIt) {
  size_t compiled_count = 0;
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    RandomJson random(seed);
    const json::value text = random.value(6);
    const auto schema = JsonSchema::compile(text);
    if (!schema) continue;
    ++compiled_count;
    for (int i = 0; i < 3; ++i) {
      const json::value instance = random.value(4);
      const auto answer = schema->validate(instance);
      if (!answer) EXPECT_NE(answer.error().code, Code::kInternal) << dump_json(text);
    }
    EXPECT_TRUE(schema->validate(text) || true);
  }
  EXPECT_GT(compiled_count, 2'000U);
}

TEST(JsonSchema, ManyThreadsValidateAtTheSameTime) {
  const JsonSchema schema =
      compiled(R"json({"properties":{"a":{"pattern":"^(?!x)"},"b":{"pattern":"^b+$"}}})json");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&schema] {
      for (int i = 0; i < 200; ++i) {
        EXPECT_TRUE(schema.validate(parsed(R"({"a":"y","b":"bb"})")).value().empty());
        EXPECT_EQ(schema.validate(parsed(R"({"a":"x","b":"c"})")).value().size(), 2U);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(JsonSchema, FormatsAnnotateUnlessTheyAreAskedToAssert) {
  EXPECT_TRUE(valid(R"({"format":"date"})", R"("nope")"));
  SchemaOptions strict;
  strict.check_formats = true;
  const JsonSchema schema = compiled(R"({"format":"date-time"})", strict);
  EXPECT_TRUE(schema.validate(parsed(R"("2026-02-28T23:59:60Z")")).value().empty());
  const auto errors = schema.validate(parsed(R"("28.2.2026")")).value();
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_THAT(errors[0].message, HasSubstr("such as 2026-01-31T12:00:00Z"));
  EXPECT_TRUE(
      compiled(R"({"format":"colour"})", strict).validate(parsed(R"("x")")).value().empty());
}

}  // namespace
}  // namespace wave::contract
