#include "server/served_project.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.h"
#include "load/wire.h"
#include "project.h"

namespace wave::bench {
namespace {

using std::chrono::steady_clock;

[[noreturn]] void become_server(const std::filesystem::path& project,
                                const std::vector<std::string>& arguments, int out) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, 0);
  ::dup2(out, 1);
  if (std::getenv("WAVE_BENCH_SHOW") == nullptr) ::dup2(null, 2);
  std::vector<std::string> argv{WAVE_BINARY, "serve", "--json", "--port", "0"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  std::vector<std::string> env;
  for (const auto& [key, value] : environment(project)) env.push_back(key + "=" + value);
  std::vector<char*> argv_list, env_list;
  for (std::string& text : argv) argv_list.push_back(text.data());
  for (std::string& text : env) env_list.push_back(text.data());
  argv_list.push_back(nullptr);
  env_list.push_back(nullptr);
  if (::chdir(project.c_str()) == 0) ::execve(WAVE_BINARY, argv_list.data(), env_list.data());
  ::_exit(127);
}

/// The line that the server prints when it listens.
std::string first_line(int out) {
  std::string line;
  char byte = 0;
  while (::read(out, &byte, 1) == 1 && byte != '\n') line += byte;
  return line;
}

uint16_t port_of(const std::string& line) {
  const size_t host = line.find("127.0.0.1:");
  if (host == std::string::npos) give_up("the server did not come up: " + line);
  return static_cast<uint16_t>(std::atoi(line.c_str() + host + sizeof("127.0.0.1:") - 1));
}

}  // namespace

ServedProject::ServedProject(const std::filesystem::path& project,
                             const std::vector<std::string>& arguments) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) std::abort();
  const auto begin = steady_clock::now();
  pid_ = ::fork();
  if (pid_ == 0) become_server(project, arguments, pipe[1]);
  ::close(pipe[1]);
  const UniqueFd out(pipe[0]);
  const std::string line = first_line(out.get());
  port_ = port_of(line);
  const bool tls = line.contains("https:");
  if (!tls && Caller(port_).get("/api/health/ready").status != 200)
    give_up("the server is not ready when it says where it listens");
  took_ = steady_clock::now() - begin;
}

ServedProject::~ServedProject() {
  kill();
}

void ServedProject::end_with(int signal) {
  if (pid_ < 0) return;
  ::kill(pid_, signal);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void ServedProject::kill() {
  end_with(SIGKILL);
}

void ServedProject::stop() {
  end_with(SIGTERM);
}

}  // namespace wave::bench
