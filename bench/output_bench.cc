// Taking in what a program prints: masking alone, and a whole run whose step prints a lot.
#include <fmt/core.h>

#include <ctime>
#include <fstream>

#include "base/redact.h"
#include "measure.h"
#include "project.h"

namespace wave::bench {
namespace {

constexpr size_t kBytes = 256 << 20;
constexpr size_t kChunk = 64 << 10;

struct Text {
  const char* name;
  std::string line;
};

const std::vector<Text>& texts() {
  static const std::vector<Text> all = {
      {"a build's output",
       "[ 45%] Building CXX object src/CMakeFiles/all.dir/process/launcher.cc.o -std=c++23 "
       "-Wall\n"},
      {"a server's log",
       "2026-11-30T21:40:01.123Z INFO server: GET /api/runs/abc-123 status=200 took 1.23 ms\n"},
      {"an agent's JSON lines",
       R"({"type":"assistant","message":{"content":[{"type":"text","text":"I run the tests now."}],)"
       R"("usage":{"input_tokens":123,"output_tokens":45}}})"
       "\n"},
      {"one letter", std::string(120, 'x') + "\n"},
      {"rulers of dashes", std::string(100, '-') + "\n"},
      {"nothing but secrets",
       "x-api-key: 0123456789abcdef password=hunter2&next=1 ghp_abcdefghijklmnopqrstuvwxyz01\n"},
  };
  return all;
}

std::string repeated(const std::string& line, size_t size) {
  std::string text;
  text.reserve(size + line.size());
  while (text.size() < size) text += line;
  return text;
}

/// A hundred configured values, as a project with many keys has them.
Redactor many_secrets() {
  std::vector<std::string> secrets;
  for (int i = 0; i < 100; ++i) secrets.push_back(fmt::format("{:x}-secret-{}", i * 7919, i));
  return Redactor(secrets);
}

std::chrono::nanoseconds thread_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::string rate(size_t bytes, std::chrono::nanoseconds time) {
  return fmt::format("{:.0f} MB/s", static_cast<double>(bytes) / 1e6 /
                                        std::chrono::duration<double>(time).count());
}

Figure masking(const Text& text, const Redactor& redactor) {
  const std::string input = repeated(text.line, kBytes / 4);
  const std::string_view view = input;
  size_t told = 0;
  const auto begin = thread_time();
  StreamRedactor stream(redactor);
  for (size_t at = 0; at < view.size(); at += kChunk)
    told += stream.feed(view.substr(at, kChunk)).size();
  told += stream.finish().size();
  const auto spent = thread_time() - begin;
  const auto copy_begin = thread_time();
  std::string copy;
  size_t copied = 0;
  for (size_t at = 0; at < view.size(); at += kChunk) {
    copy = view.substr(at, kChunk);
    copied += copy.size();
  }
  const auto copying = thread_time() - copy_begin;
  return {fmt::format("masking {}, 100 configured secrets, one core", text.name), rate(told, spent),
          "copying it: " + rate(copied, copying), "300 MB/s"};
}

/// In processor time of wave itself, without the program that prints and its host.
Figure whole_run(const std::filesystem::path& scratch) {
  const std::filesystem::path root = make_project(scratch / "output");
  const std::filesystem::path file = scratch / "printed", spent_file = scratch / "spent";
  std::ofstream(file) << repeated(texts()[0].line, kBytes);
  write_pipeline(
      root, "output",
      fmt::format("  - id: a\n    type: command\n    script: \"cat {}\"\n", file.native()));
  const Finished finished = run({"/usr/bin/time", "-f", "%M %U %S", "-o", spent_file.native(),
                                 WAVE_BINARY, "run", "output", "-o", "quiet"},
                                root, environment(root));
  double peak = 0, user = 0, system = 0;
  std::ifstream(spent_file) >> peak >> user >> system;
  const auto spent = std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(user + system));
  return {fmt::format("a run whose step prints {} MB, processor time", kBytes >> 20),
          finished.code == 0 ? rate(kBytes, spent) : "failed",
          fmt::format("on the clock {}, peak {:.1f} MiB", rate(kBytes, finished.wall), peak / 1024),
          "300 MB/s"};
}

}  // namespace

std::vector<Figure> bench_output(const std::filesystem::path& scratch) {
  std::vector<Figure> figures;
  const Redactor redactor = many_secrets();
  for (const Text& text : texts()) figures.push_back(masking(text, redactor));
  figures.push_back(whole_run(scratch));
  return figures;
}

}  // namespace wave::bench
