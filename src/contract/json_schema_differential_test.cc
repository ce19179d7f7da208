// 2020-12 against python3-jsonschema: the same answers on generated schemas and instances.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "base/file.h"
#include "base/text.h"
#include "contract/json_schema.h"
#include "contract/shared_data.h"

namespace wave::contract {
namespace {

/// Schemas over few names and values, so that instances meet them.
class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  json::value schema() {
    json::object root = object_schema(3);
    json::object defs;
    for (std::string_view name : {"d0", "d1"}) defs[name] = leaf();
    root["$defs"] = std::move(defs);
    return root;
  }

  json::value instance(int depth = 3) {
    switch (pick(depth <= 0 ? 5 : 8)) {
      case 0:
        return nullptr;
      case 1:
        return pick(2) == 0;
      case 2:
        return static_cast<int64_t>(pick(8)) - 2;
      case 3:
        return static_cast<double>(pick(16)) / 4;
      case 4:
        return json::value(text());
      case 5: {
        json::array array;
        for (size_t i = pick(5); i > 0; --i) array.push_back(instance(depth - 1));
        return array;
      }
      default: {
        json::object object;
        for (size_t i = pick(5); i > 0; --i) object[name()] = instance(depth - 1);
        return object;
      }
    }
  }

 private:
  using Add = void (Generator::*)(json::object&, int);

  size_t pick(size_t count) { return static_cast<size_t>(random_() % count); }
  std::string_view name() {
    static constexpr std::array<std::string_view, 5> kNames{"a", "b", "c", "ab", "x1"};
    return kNames[pick(kNames.size())];
  }
  std::string_view text() {
    static constexpr std::array<std::string_view, 6> kTexts{
        "", "a", "ab", "x1", "\u00e9\U0001f432", "long text"};
    return kTexts[pick(kTexts.size())];
  }
  std::string_view pattern() {
    static constexpr std::array<std::string_view, 5> kPatterns{"^a", "b$", "[0-9]", "^.{2}$",
                                                               "x|c"};
    return kPatterns[pick(kPatterns.size())];
  }
  std::string_view type() {
    static constexpr std::array<std::string_view, 7> kTypes{"null",   "boolean", "object", "array",
                                                            "number", "string",  "integer"};
    return kTypes[pick(kTypes.size())];
  }

  json::value subschema(int depth) {
    if (depth <= 0) return leaf();
    switch (pick(9)) {
      case 0:
        return true;
      case 1:
        return pick(3) != 0;
      case 2:
        return json::object{{"$ref", pick(2) == 0 ? "#/$defs/d0" : "#/$defs/d1"}};
      default:
        return object_schema(depth - 1);
    }
  }
  json::array subschemas(int depth) {
    json::array array;
    for (size_t i = 1 + pick(3); i > 0; --i) array.push_back(subschema(depth));
    return array;
  }
  json::object named(int depth) {
    json::object object;
    for (size_t i = 1 + pick(3); i > 0; --i) object[name()] = subschema(depth);
    return object;
  }

  json::value leaf() {
    json::object object;
    (this->*kLeaves[pick(kLeaves.size())])(object, 0);
    return object;
  }
  json::object object_schema(int depth) {
    json::object object;
    if (pick(15) == 0) {
      add_unevaluated(object);
      return object;
    }
    for (size_t i = 1 + pick(4); i > 0; --i) {
      if (pick(3) == 0) {
        (this->*kLeaves[pick(kLeaves.size())])(object, depth);
      } else {
        (this->*kApplicators[pick(kApplicators.size())])(object, depth);
      }
    }
    return object;
  }

  void add_type(json::object& to, int) {
    if (pick(2) == 0) {
      to["type"] = type();
    } else {
      to["type"] = json::array{type(), type()};
      if (to["type"].as_array()[0] == to["type"].as_array()[1]) to["type"].as_array().pop_back();
    }
  }
  void add_enum(json::object& to, int) {
    to["enum"] = json::array{instance(1), instance(1), instance(2)};
  }
  void add_const(json::object& to, int) { to["const"] = instance(1); }
  void add_numbers(json::object& to, int) {
    static constexpr std::array kKeys{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"};
    to[kKeys[pick(4)]] = static_cast<double>(pick(12)) / 4;
    if (pick(3) == 0) to["multipleOf"] = pick(2) == 0 ? json::value(0.5) : json::value(2);
  }
  void add_lengths(json::object& to, int) {
    to[pick(2) == 0 ? "minLength" : "maxLength"] = pick(4);
  }
  void add_pattern(json::object& to, int) { to["pattern"] = pattern(); }
  void add_counts(json::object& to, int) {
    static constexpr std::array kKeys{"minItems", "maxItems", "minProperties", "maxProperties"};
    to[kKeys[pick(4)]] = pick(4);
  }
  void add_unique(json::object& to, int) { to["uniqueItems"] = true; }
  void add_required(json::object& to, int) {
    if (pick(2) == 0) {
      to["required"] = json::array{name()};
    } else {
      to["dependentRequired"] = json::object{{name(), json::array{name()}}};
    }
  }

  void add_properties(json::object& to, int depth) { to["properties"] = named(depth); }
  void add_pattern_properties(json::object& to, int depth) {
    to["patternProperties"] = json::object{{pattern(), subschema(depth)}};
  }
  void add_additional(json::object& to, int depth) {
    to["additionalProperties"] = subschema(depth);
  }
  void add_names(json::object& to, int) { to["propertyNames"] = leaf(); }
  void add_dependent(json::object& to, int depth) { to["dependentSchemas"] = named(depth); }
  void add_prefix(json::object& to, int depth) { to["prefixItems"] = subschemas(depth); }
  void add_items(json::object& to, int depth) { to["items"] = subschema(depth); }
  void add_contains(json::object& to, int depth) {
    to["contains"] = subschema(depth);
    if (pick(3) == 0) to["minContains"] = pick(3);
    if (pick(3) == 0) to["maxContains"] = 1 + pick(3);
  }
  void add_all(json::object& to, int depth) { to["allOf"] = subschemas(depth); }
  void add_any(json::object& to, int depth) { to["anyOf"] = subschemas(depth); }
  void add_one(json::object& to, int depth) { to["oneOf"] = subschemas(depth); }
  void add_not(json::object& to, int depth) { to["not"] = subschema(depth); }
  void add_if(json::object& to, int depth) {
    to["if"] = subschema(depth);
    if (pick(4) != 0) to["then"] = subschema(depth);
    if (pick(2) == 0) to["else"] = subschema(depth);
  }
  void add_ref(json::object& to, int) { to["$ref"] = "#/$defs/d0"; }
  // Beside plain keywords only: what the reference implementation 4.10 makes of the other
  // applicators is not what the specification says (it looks at schemas, not at what was
  // evaluated).
  void add_unevaluated(json::object& to) {
    to["properties"] = named(0);
    to["allOf"] = json::array{json::object{{"properties", named(0)}}};
    to["unevaluatedProperties"] = false;
  }

  static constexpr std::array<Add, 9> kLeaves{
      &Generator::add_type,    &Generator::add_enum,    &Generator::add_const,
      &Generator::add_numbers, &Generator::add_lengths, &Generator::add_pattern,
      &Generator::add_counts,  &Generator::add_unique,  &Generator::add_required};
  static constexpr std::array<Add, 14> kApplicators{
      &Generator::add_properties, &Generator::add_pattern_properties,
      &Generator::add_additional, &Generator::add_names,
      &Generator::add_dependent,  &Generator::add_prefix,
      &Generator::add_items,      &Generator::add_contains,
      &Generator::add_all,        &Generator::add_any,
      &Generator::add_one,        &Generator::add_not,
      &Generator::add_if,         &Generator::add_ref};

  std::mt19937_64 random_;
};

constexpr std::string_view kReference = R"py(
import json, sys
from jsonschema import Draft202012Validator
for line in sys.stdin:
    case = json.loads(line)
    try:
        validator = Draft202012Validator(case["schema"])
        print("".join("1" if validator.is_valid(i) else "0" for i in case["instances"]))
    except Exception as error:
        print("error", repr(error)[:200].replace("\n", " "))
)py";

constexpr size_t kSchemas = 3'000;
constexpr size_t kInstances = 4;

/// A folder that is gone at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "wave-contract-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// The lines python prints about the cases in `input`.
std::vector<std::string> ask_reference(const TemporaryFolder& folder, const std::string& input) {
  EXPECT_TRUE(write_file(folder.path() / "cases", input));
  EXPECT_TRUE(write_file(folder.path() / "reference.py", kReference));
  const std::string command =
      fmt::format("cd {0} && timeout 300 /usr/bin/python3 -W ignore reference.py <cases >answers",
                  shell_quote(folder.path().string()));
  EXPECT_EQ(std::system(command.c_str()), 0);
  const auto answers = read_file(folder.path() / "answers", 64 << 20);
  EXPECT_TRUE(answers);
  return answers ? split(*answers, '\n') : std::vector<std::string>{};
}

TEST(JsonSchemaDifferential, AgreesWithPythonOnGeneratedSchemas) {
  if (std::system("/usr/bin/python3 -c 'import jsonschema' 2>/dev/null") != 0) {
    WAVE_SKIP_OUTSIDE_CI("python3-jsonschema is not installed");
  }
  std::vector<json::object> cases;
  std::string input;
  for (uint64_t seed = 0; seed < kSchemas; ++seed) {
    Generator generator(seed);
    json::array instances;
    json::value schema = generator.schema();
    for (size_t i = 0; i < kInstances; ++i) instances.push_back(generator.instance());
    cases.push_back({{"schema", std::move(schema)}, {"instances", std::move(instances)}});
    input += dump_json(cases.back()) + "\n";
  }
  const TemporaryFolder folder;
  const std::vector<std::string> lines = ask_reference(folder, input);
  ASSERT_GE(lines.size(), kSchemas);

  size_t valid = 0;
  for (size_t c = 0; c < kSchemas; ++c) {
    ASSERT_FALSE(lines[c].starts_with("error")) << lines[c] << " " << dump_json(cases[c]["schema"]);
    const auto schema = JsonSchema::compile(cases[c]["schema"]);
    ASSERT_TRUE(schema) << schema.error().message << " " << dump_json(cases[c]["schema"]);
    for (size_t i = 0; i < kInstances; ++i) {
      const json::value& instance = cases[c]["instances"].as_array()[i];
      const auto errors = schema->validate(instance);
      ASSERT_TRUE(errors) << errors.error().message;
      EXPECT_EQ(errors->empty(), lines[c][i] == '1')
          << "schema " << dump_json(cases[c]["schema"]) << " instance " << dump_json(instance);
      valid += errors->empty() ? 1 : 0;
    }
  }
  // A generator whose cases are all valid, or none, would prove nothing.
  EXPECT_GT(valid, kSchemas * kInstances / 10);
  EXPECT_LT(valid, kSchemas * kInstances * 9 / 10);
}

}  // namespace
}  // namespace wave::contract
