#include "agent/play.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <ctime>

#include "agent/permit.h"
#include "agent/script.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

extern char** environ;

namespace wave::agent {
namespace {

constexpr uint64_t kMaxPlan = 16 << 20;
constexpr size_t kMaxPrompt = 16 << 20;
constexpr size_t kMaxCaptured = 64 << 10;
constexpr int kCannotPlay = 2;
constexpr size_t kBlock = 64 << 10;

void sleep_for(Millis duration) {
  timespec left{duration.count() / 1000, (duration.count() % 1000) * 1'000'000};
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

std::string read_stdin() {
  std::string text;
  char buffer[kBlock];
  while (text.size() < kMaxPrompt) {
    const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text.append(buffer, static_cast<size_t>(count));
  }
  return text;
}

// Plays one list of actions. Each action prints what it does before it returns, so that what the
// spool holds is what has happened.
class Player {
 public:
  explicit Player(const json::object& plan)
      : permissions_{get_strings(plan, "allowed"), get_strings(plan, "denied")},
        roots_(file_roots_from_json(get_object(plan, "files"))) {
    // Not told by the plan: a path may have bytes that JSON cannot hold.
    std::error_code error;
    roots_.workspace = fs::current_path(error);
  }

  // The exit code, once an action ended the script.
  std::optional<int> play(const json::array& actions);
  int succeed(std::string_view text) {
    print({{"type", "result"}, {"success", true}, {"text", text}});
    return 0;
  }
  [[nodiscard]] const std::string& last_text() const { return last_text_; }

 private:
  using Ending = std::optional<int>;

  void print(const json::object& line) { (void)write_all(STDOUT_FILENO, dump_json(line) + "\n"); }
  Ending act(std::string_view name, const json::value& value);
  Ending act_on_files(std::string_view name, const json::value& value);
  void say(std::string_view type, std::string text);
  void use_tool(const json::object& tool);
  void read(const std::string& path);
  void write(const json::object& file, bool append);
  void make_directory(const std::string& path);
  void run(const std::string& command);
  void spawn(const std::string& command, bool own_session);
  void flood(const json::object& what);
  Ending wait_for(const json::value& value);
  Ending fail_with(const json::object& failure);
  Ending broken(std::string_view name, std::string_view why);

  bool permitted(std::string_view tool, const json::object& input, std::string_view target);
  void tool_result(std::string_view tool, std::string_view content, bool is_error) {
    print({{"type", "tool_result"}, {"name", tool}, {"content", content}, {"is_error", is_error}});
  }
  std::string expand(std::string_view text);
  const std::string& prompt();

  model::EffectivePermissions permissions_;
  FileRoots roots_;
  std::string last_text_;
  std::optional<std::string> prompt_;
};

const std::string& Player::prompt() {
  if (!prompt_) prompt_ = read_stdin();
  return *prompt_;
}

std::string Player::expand(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("$$")) {
      result += '$';
      ++i;
      continue;
    }
    const size_t close = text.substr(i).starts_with("${") ? text.find('}', i) : std::string::npos;
    if (close == std::string::npos) {
      result += text[i];
      continue;
    }
    const std::string name(text.substr(i + 2, close - i - 2));
    if (name == "PROMPT") {
      result += prompt();
    } else if (const char* value = std::getenv(name.c_str())) {
      result += value;
    }
    i = close;
  }
  return result;
}

std::optional<int> Player::play(const json::array& actions) {
  for (const auto& action : actions) {
    const auto& [name, value] = *action.as_object().begin();
    if (const Ending ending = act(std::string_view(name), value)) return ending;
  }
  return std::nullopt;
}

Player::Ending Player::broken(std::string_view name, std::string_view why) {
  const std::string line = fmt::format("script: {}: {}\n", name, why);
  (void)write_all(STDERR_FILENO, line);
  return kCannotPlay;
}

Player::Ending Player::act(std::string_view name, const json::value& value) {
  const std::string text = value.is_string() ? expand(std::string_view(value.as_string())) : "";
  const json::object empty;
  const json::object& object = value.is_object() ? value.as_object() : empty;
  if (name == "say" || name == "think") {
    say(name == "say" ? "text" : "thinking", value.is_string() ? text : json_to_text(value));
  } else if (name == "stderr") {
    (void)write_all(STDERR_FILENO, text + "\n");
  } else if (name == "tool") {
    use_tool(object);
  } else if (name == "usage") {
    json::object line{{"type", "usage"}};
    for (const auto& [key, number] : object) line[key] = number;
    print(line);
  } else if (name == "sleep") {
    const auto duration = script_duration(value);
    if (!duration) return broken(name, duration.error().message);
    sleep_for(*duration);
  } else if (name == "wait_for") {
    return wait_for(value);
  } else if (name == "flood") {
    flood(object);
  } else if (name == "repeat") {
    const int64_t times = get_int(object, "times", 1);
    for (int64_t i = 0; i < times; ++i) {
      if (const Ending ending = play(get_array(object, "actions"))) return ending;
    }
  } else if (name == "ignore_term") {
    ::signal(SIGTERM, SIG_IGN);
  } else if (name == "result") {
    return succeed(value.is_string() ? text : json_to_text(value));
  } else if (name == "fail") {
    return fail_with(object);
  } else if (name == "rate_limit") {
    return fail_with(
        {{"class", "rate_limit"}, {"message", "rate limited"}, {"retry_after", value}});
  } else if (name == "exit") {
    return value.is_int64() ? static_cast<int>(value.as_int64() & 0xFF) : 0;
  } else if (name == "crash") {
    const int number = value.is_int64() ? static_cast<int>(value.as_int64()) : SIGKILL;
    ::signal(number, SIG_DFL);
    ::kill(::getpid(), number);
    while (true) ::pause();
  } else if (name == "hang") {
    while (true) ::pause();
  } else {
    return act_on_files(name, value);
  }
  return std::nullopt;
}

Player::Ending Player::act_on_files(std::string_view name, const json::value& value) {
  const json::object empty;
  const json::object& object = value.is_object() ? value.as_object() : empty;
  const std::string text = value.is_string() ? std::string(value.as_string()) : "";
  if (name == "read") {
    read(expand(text));
  } else if (name == "write" || name == "append") {
    write(object, name == "append");
  } else if (name == "mkdir") {
    make_directory(expand(text));
  } else if (name == "run") {  // the shell knows variables itself
    run(text.empty() ? std::string(get_string(object, "command")) : text);
  } else if (name == "spawn") {
    spawn(text.empty() ? std::string(get_string(object, "command")) : text,
          get_bool(object, "setsid", true));
  } else {
    return broken(name, "unknown action");
  }
  return std::nullopt;
}

void Player::say(std::string_view type, std::string text) {
  print({{"type", type}, {"text", text}});
  if (type == "text") last_text_ = std::move(text);
}

// Says that a tool is used, and whether it may be. A real agent goes on after a denial, so does
// this one.
bool Player::permitted(std::string_view tool, const json::object& input, std::string_view target) {
  print({{"type", "tool_use"}, {"name", tool}, {"target", target}, {"input", input}});
  std::string why = refusal(permissions_, describe_use(tool, input, roots_.workspace));
  if (why.empty() && !is_unrestricted(permissions_)) {
    why = file_refusal(permissions_, tool, input, roots_);
  }
  if (why.empty()) return true;
  print({{"type", "denied"}, {"name", tool}, {"message", why}});
  tool_result(tool, why, true);
  return false;
}

void Player::use_tool(const json::object& tool) {
  const std::string name(get_string(tool, "name"));
  const std::string target = expand(get_string(tool, "target"));
  json::object input = get_object(tool, "input");
  if (input.empty() && !target.empty()) input["command"] = target;
  if (!permitted(name, input, target)) return;
  tool_result(name, expand(get_string(tool, "result")), get_bool(tool, "error"));
}

void Player::read(const std::string& path) {
  if (!permitted("Read", {{"file_path", path}}, path)) return;
  const auto content = read_range(path, 0, kMaxCaptured);
  tool_result("Read", content ? *content : content.error().message, !content);
}

void Player::write(const json::object& file, bool append) {
  const std::string path = expand(get_string(file, "path"));
  const json::value* given = wave::find(file, "content");
  std::string content;
  if (given != nullptr) {
    content =
        given->is_string() ? expand(std::string_view(given->as_string())) : json_to_text(*given);
  }
  const char* tool = append ? "Edit" : "Write";
  if (!permitted(tool, {{"file_path", path}}, path)) return;
  std::error_code error;
  const fs::path folder = fs::path(path).parent_path();
  if (!folder.empty()) fs::create_directories(folder, error);
  const int flags = O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC);
  const auto fd = open_file(path, flags);
  const Status written = fd ? write_all(fd->get(), content) : Status(fail(fd.error()));
  tool_result(tool,
              written ? fmt::format("{} bytes written", content.size()) : written.error().message,
              !written);
}

void Player::make_directory(const std::string& path) {
  if (!permitted("Write", {{"file_path", path}}, path)) return;
  const Status made = make_directories(path);
  tool_result("Write", made ? "created" : made.error().message, !made);
}

void Player::run(const std::string& command) {
  if (!permitted("Bash", {{"command", command}}, command)) return;
  int pipe_fds[2];
  if (::pipe2(pipe_fds, O_CLOEXEC) != 0) return tool_result("Bash", std::strerror(errno), true);
  UniqueFd out(pipe_fds[0]), in(pipe_fds[1]);
  const std::string shell = "/bin/sh";
  char* const argv[] = {const_cast<char*>("sh"), const_cast<char*>("-c"),
                        const_cast<char*>(command.c_str()), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, in.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, in.get(), STDERR_FILENO);
  pid_t pid = 0;
  const int spawned = ::posix_spawn(&pid, shell.c_str(), &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  in.reset();
  if (spawned != 0) return tool_result("Bash", std::strerror(spawned), true);
  std::string said;
  char buffer[4096];
  while (true) {
    const ssize_t count = ::read(out.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    if (said.size() < kMaxCaptured) said.append(buffer, static_cast<size_t>(count));
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (code != 0) said = fmt::format("Exit code {}\n{}", code, said);
  tool_result("Bash", to_valid_utf8(said), code != 0);
}

void Player::spawn(const std::string& command, bool own_session) {
  if (!permitted("Bash", {{"command", command}}, command)) return;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  if (own_session) posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  char* const argv[] = {const_cast<char*>("sh"), const_cast<char*>("-c"),
                        const_cast<char*>(command.c_str()), nullptr};
  pid_t pid = 0;
  const int spawned = ::posix_spawn(&pid, "/bin/sh", &actions, &attributes, argv, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  tool_result("Bash", spawned == 0 ? fmt::format("started {}", pid) : std::strerror(spawned),
              spawned != 0);
}

void Player::flood(const json::object& what) {
  const bool to_stderr = get_string(what, "stream") == "err";
  const int fd = to_stderr ? STDERR_FILENO : STDOUT_FILENO;
  std::string block;
  const auto flush = [&](size_t limit) {
    if (block.size() < limit) return;
    (void)write_all(fd, block);
    block.clear();
  };
  if (int64_t bytes = get_int(what, "bytes"); bytes > 0) {
    const std::string full(kBlock, 'x');
    for (; bytes > 0; bytes -= static_cast<int64_t>(kBlock)) {
      const auto count = std::min<size_t>(static_cast<size_t>(bytes), kBlock);
      if (!write_all(fd, std::string_view(full).substr(0, count))) return;
    }
    (void)write_all(fd, "\n");
    return;
  }
  const int64_t lines = get_int(what, "lines");
  const auto length =
      static_cast<size_t>(std::clamp<int64_t>(get_int(what, "length", 80), 1, 64 << 20));
  const bool as_json = get_bool(what, "json", !to_stderr);
  for (int64_t i = 0; i < lines; ++i) {
    std::string text = fmt::format("line {} ", i + 1);
    if (text.size() < length) text.append(length - text.size(), 'x');
    block += as_json ? dump_json(json::object{{"type", "text"}, {"text", text}}) : text;
    block += '\n';
    flush(kBlock);
  }
  flush(0);
}

Player::Ending Player::wait_for(const json::value& value) {
  const json::object object =
      value.is_object() ? value.as_object() : json::object{{"path", json_to_text(value)}};
  const std::string path = expand(get_string(object, "path"));
  Millis left(30'000);
  if (const json::value* timeout = wave::find(object, "timeout")) {
    const auto given = script_duration(*timeout);
    if (!given) return broken("wait_for", given.error().message);
    left = *given;
  }
  constexpr Millis kPoll(5);
  std::error_code error;
  for (; !fs::exists(path, error); left -= kPoll) {
    if (left <= Millis(0)) {
      return fail_with({{"class", "transient"}, {"message", path + " did not appear in time"}});
    }
    sleep_for(kPoll);
  }
  return std::nullopt;
}

Player::Ending Player::fail_with(const json::object& failure) {
  json::object line{{"type", "result"},
                    {"success", false},
                    {"class", get_string(failure, "class", "transient")},
                    {"message", expand(get_string(failure, "message", "the script failed"))}};
  if (const json::value* wait = wave::find(failure, "retry_after")) {
    const auto duration = script_duration(*wait);
    if (!duration) return broken("retry_after", duration.error().message);
    line["retry_after_ms"] = duration->count();
  }
  print(line);
  return 1;
}

}  // namespace

int play_main(int argc, char** argv) {
  const auto cannot = [](std::string_view why) {
    (void)write_all(STDERR_FILENO, fmt::format("wave __play: {}\n", why));
    return kCannotPlay;
  };
  if (argc < 3) return cannot("which file?");
  const auto text = read_file(argv[2], kMaxPlan);
  if (!text) return cannot(full_message(text.error()));
  const auto plan = parse_json(*text);
  if (!plan || !plan->is_object()) return cannot("the file is not a plan");
  const json::object& object = plan->as_object();
  const json::object start{{"type", "start"},
                           {"session_id", get_string(object, "session_id")},
                           {"model", get_string(object, "model")}};
  if (!write_all(STDOUT_FILENO, dump_json(start) + "\n")) return kCannotPlay;
  Player player(object);
  if (const auto ending = player.play(get_array(object, "actions"))) return *ending;
  return player.succeed(player.last_text());
}

}  // namespace wave::agent
