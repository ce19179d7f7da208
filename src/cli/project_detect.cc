#include "cli/project_detect.h"

#include <algorithm>
#include <array>

namespace wave::cli {
namespace {

struct Row {
  std::array<std::string_view, 3> markers;  // any one of them
  Flavour flavour;
};

// First match wins: the special stands before the general.
constexpr std::array kRows{
    Row{{"settings.gradle.kts", "build.gradle.kts"},
        {"kotlin", "kotlin", "./gradlew test", "./gradlew check -x test", "./gradlew assemble", "",
         "**/*.kt"}},
    Row{{".metadata", ".flutter-plugins"},
        {"flutter", "dart", "flutter test", "flutter analyze", "flutter build", "dart format .",
         "lib/**/*.dart"}},
    Row{{"go.mod"},
        {"go", "go", "go test ./...", "go vet ./...", "go build ./...", "gofmt -w .", "**/*.go"}},
    Row{{"Cargo.toml"},
        {"rust", "rust", "cargo test", "cargo clippy -- -D warnings", "cargo build", "cargo fmt",
         "**/*.rs"}},
    Row{{"deno.json", "deno.jsonc"},
        {"deno", "typescript", "deno test", "deno lint", "deno check .", "deno fmt", "**/*.ts"}},
    Row{{"bun.lockb", "bun.lock"},
        {"bun", "typescript", "bun test", "bun run lint", "bun run build", "bun run format",
         "src/**/*.ts"}},
    Row{{"pnpm-lock.yaml"},
        {"node-pnpm", "javascript", "pnpm test", "pnpm run lint", "pnpm run build",
         "pnpm run format", "src/**/*"}},
    Row{{"yarn.lock"},
        {"node-yarn", "javascript", "yarn test", "yarn lint", "yarn build", "yarn format",
         "src/**/*"}},
    Row{{"package.json"},
        {"node", "javascript", "npm test", "npm run lint", "npm run build", "npm run format",
         "src/**/*"}},
    Row{{"pyproject.toml"},
        {"python", "python", "python3 -m pytest", "ruff check .", "", "ruff format .", "**/*.py"}},
    Row{{"setup.py", "setup.cfg", "requirements.txt"},
        {"python-legacy", "python", "python3 -m pytest", "", "", "", "**/*.py"}},
    Row{{"*.sln", "*.csproj"},
        {"csharp", "csharp", "dotnet test", "", "dotnet build", "dotnet format", "**/*.cs"}},
    Row{{"pom.xml"},
        {"java-maven", "java", "mvn -q test", "", "mvn -q package -DskipTests", "",
         "src/**/*.java"}},
    Row{{"build.gradle", "settings.gradle"},
        {"java-gradle", "java", "./gradlew test", "./gradlew check -x test", "./gradlew assemble",
         "", "src/**/*.java"}},
    Row{{"mix.exs"},
        {"elixir", "elixir", "mix test", "mix credo", "mix compile", "mix format", "lib/**/*.ex"}},
    Row{{"pubspec.yaml"},
        {"dart", "dart", "dart test", "dart analyze", "", "dart format .", "lib/**/*.dart"}},
    Row{{"CMakeLists.txt"},
        {"cpp-cmake", "cpp", "ctest --test-dir build --output-on-failure", "",
         "cmake -S . -B build && cmake --build build", "", "src/**/*"}},
    Row{{"composer.json"},
        {"php", "php", "vendor/bin/phpunit", "vendor/bin/phpstan analyse", "", "", "src/**/*.php"}},
    Row{{"Gemfile"},
        {"ruby", "ruby", "bundle exec rake test", "bundle exec rubocop", "", "", "**/*.rb"}},
    Row{{"Package.swift"},
        {"swift", "swift", "swift test", "", "swift build", "", "Sources/**/*.swift"}},
    Row{{"build.zig"},
        {"zig", "zig", "zig build test", "", "zig build", "zig fmt .", "src/**/*.zig"}},
    Row{{"build.sbt"}, {"scala", "scala", "sbt test", "", "sbt compile", "", "src/**/*.scala"}},
    Row{{"stack.yaml"},
        {"haskell-stack", "haskell", "stack test", "", "stack build", "", "src/**/*.hs"}},
    Row{{"*.cabal"}, {"haskell", "haskell", "cabal test", "", "cabal build", "", "src/**/*.hs"}},
    Row{{"tsconfig.json"},
        {"typescript-standalone", "typescript", "", "", "tsc --noEmit", "", "**/*.ts"}},
    Row{{"docker-compose.yml", "docker-compose.yaml", "compose.yaml"},
        {"docker-compose", "", "", "docker compose config -q", "docker compose build", "", ""}},
    Row{{"Makefile", "makefile", "GNUmakefile"}, {"make", "", "make test", "", "make", "", ""}},
};

bool matches(std::string_view marker, const std::string& file) {
  if (marker.empty()) return false;
  return marker.starts_with("*.") ? file.ends_with(marker.substr(1)) : file == marker;
}

}  // namespace

const Flavour* detect_flavour(const std::vector<std::string>& files) {
  for (const Row& row : kRows) {
    for (const std::string_view marker : row.markers) {
      const bool found = std::ranges::any_of(
          files, [marker](const std::string& file) { return matches(marker, file); });
      if (found) return &row.flavour;
    }
  }
  return nullptr;
}

}  // namespace wave::cli
