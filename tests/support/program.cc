#include "support/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "base/file.h"

namespace wave::test {
namespace {

constexpr uint64_t kMaxOutput = 256 << 20;

std::filesystem::path make_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "wave-test-XXXXXX").native();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  return name;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> list;
  for (std::string& text : strings) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace

bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(
        std::chrono::milliseconds(5));  // between two looks at the condition
  }
  return true;
}

Program::Program(std::vector<std::string> argv, std::filesystem::path cwd,
                 std::map<std::string, std::string> env)
    : folder_(make_folder()) {
  std::vector<std::string> environment;
  for (const auto& [key, value] : env) environment.push_back(key + "=" + value);
  std::vector<char*> argv_list = pointers(argv);
  std::vector<char*> env_list = pointers(environment);
  pid_ = ::fork();
  if (pid_ != 0) return;
  ::setpgid(0, 0);
  const int in = ::open("/dev/null", O_RDONLY);
  const int out = ::open((folder_ / "out").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int err = ::open((folder_ / "err").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (::chdir(cwd.c_str()) != 0 || ::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0) {
    ::_exit(126);
  }
  ::execvpe(argv_list[0], argv_list.data(), env_list.data());
  ::_exit(127);
}

Program::~Program() {
  if (!status_) {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Program::signal(int number) const {
  ::kill(pid_, number);
}

bool Program::ended() {
  if (status_) return true;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  status_ = status;
  return true;
}

Exit Program::wait(std::chrono::milliseconds patience) {
  if (!wait_until([&] { return ended(); }, patience)) {
    ADD_FAILURE() << "the program does not end; it said:\n" << out() << err();
    ::kill(-pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    status_ = status;
  }
  const int code = WIFEXITED(*status_) ? WEXITSTATUS(*status_) : 128 + WTERMSIG(*status_);
  return {.code = code, .out = out(), .err = err()};
}

std::string Program::out() const {
  return read_file(folder_ / "out", kMaxOutput).value_or("");
}
std::string Program::err() const {
  return read_file(folder_ / "err", kMaxOutput).value_or("");
}

Exit run(std::vector<std::string> argv, const std::filesystem::path& cwd,
         const std::map<std::string, std::string>& env) {
  return Program(std::move(argv), cwd, env).wait();
}

std::vector<pid_t> processes_with(const std::string& text) {
  std::vector<pid_t> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0 || pid == ::getpid()) continue;
    const auto environment = read_file(entry.path() / "environ", 4 << 20);
    if (environment && environment->contains(text)) found.push_back(pid);
  }
  return found;
}

}  // namespace wave::test
