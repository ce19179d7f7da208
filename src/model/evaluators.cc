#include "model/evaluators.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <span>
#include <string_view>

namespace wave::model {
namespace {

// What the safe way depends on.
enum class Safety { kShell, kProgram, kAwk, kSed, kJq, kSsh, kSql, kEval };

std::string_view safe_way(Safety safety) {
  switch (safety) {
    case Safety::kShell:
      return "hand it over as an argument: sh -c 'echo \"$1\"' sh {{ input }}";
    case Safety::kProgram:
      return "hand it over as an argument behind the code, or let the code read the variable "
             "WAVE_INPUT or the file that WAVE_INPUT_FILE names";
    case Safety::kAwk:
      return "hand it over in the environment: X={{ input }} awk '{ print ENVIRON[\"X\"] }'";
    case Safety::kSed:
      return "sed has no safe way to take it: use awk, with X={{ input }} and ENVIRON[\"X\"]";
    case Safety::kJq:
      return "hand it over as a variable: jq --arg x {{ input }} '.[$x]'";
    case Safety::kSsh:
      return "send it on the standard input: printf '%s' {{ input }} | ssh host 'cat > file'";
    case Safety::kSql:
      return "let a program with bound parameters build the statement";
    case Safety::kEval:
      return "write the commands out, and choose among them with `case`";
  }
  return "";
}

// Takes code from its command line. Options are single letters: those of `code` are followed by
// code, those of `file` by a file of code, those of `value` by something else; behind one of `rest`
// the word has a value of its own, and behind one of `last` all is data.
struct Evaluator {
  enum class Operand { kData, kProgramFile, kCode, kAllCode, kCodeBehindFirst };
  std::string_view name;
  Safety safety = Safety::kProgram;
  Operand operand = Operand::kProgramFile;
  std::string_view code = {}, file = {}, value = {}, rest = {}, last = {};
  // Whether code may stand in the same word as its letter, as in `sed -es/a/b/`.
  bool is_attached = true;
};

using enum Evaluator::Operand;

constexpr auto kEvaluators = std::to_array<Evaluator>({
    {.name = "sh", .safety = Safety::kShell, .code = "c", .value = "oO", .is_attached = false},
    {.name = "eval", .safety = Safety::kEval, .operand = kAllCode},
    {.name = "trap", .safety = Safety::kEval, .operand = kCode},
    {.name = ".", .safety = Safety::kEval, .operand = kProgramFile},
    {.name = "source", .safety = Safety::kEval, .operand = kProgramFile},
    {.name = "su", .safety = Safety::kShell, .operand = kData, .code = "c", .value = "gGsw"},
    {.name = "watch", .safety = Safety::kShell, .operand = kAllCode, .value = "n"},
    {.name = "parallel", .safety = Safety::kShell, .operand = kAllCode, .value = "jnNaIdSL"},
    {.name = "ssh",
     .safety = Safety::kSsh,
     .operand = kAllCode,
     .code = "oF",
     .value = "BbcDEeIiJLlmOpQRSWw"},
    {.name = "python", .code = "c", .value = "WXQ", .last = "m"},
    {.name = "perl", .code = "eE", .value = "I", .rest = "iFMmxCdD"},
    {.name = "ruby", .code = "e", .value = "rICE", .rest = "iFKTxW"},
    {.name = "node", .code = "ep", .value = "rC", .is_attached = false},
    {.name = "bun", .code = "ep", .value = "r", .is_attached = false},
    {.name = "php", .code = "rBRE", .file = "f", .value = "dczStg"},
    {.name = "lua", .code = "e", .value = "l"},
    {.name = "julia", .code = "eE", .value = "JLp"},
    {.name = "Rscript", .code = "e"},
    {.name = "osascript", .code = "e", .value = "l"},
    {.name = "groovy", .code = "e"},
    {.name = "elixir", .code = "e"},
    {.name = "expect", .code = "c", .file = "f"},
    {.name = "pwsh", .code = "cC", .is_attached = false},
    {.name = "awk",
     .safety = Safety::kAwk,
     .operand = kCode,
     .code = "e",
     .file = "f",
     .value = "vF"},
    {.name = "sed",
     .safety = Safety::kSed,
     .operand = kCode,
     .code = "e",
     .file = "f",
     .value = "l",
     .rest = "i"},
    {.name = "jq", .safety = Safety::kJq, .operand = kCode, .file = "f", .value = "L"},
    {.name = "psql",
     .safety = Safety::kSql,
     .operand = kData,
     .code = "c",
     .file = "f",
     .value = "dUhpvoFLPRT"},
    {.name = "mysql", .safety = Safety::kSql, .operand = kData, .code = "e", .value = "uhPD"},
    {.name = "sqlite3", .safety = Safety::kSql, .operand = kCodeBehindFirst},
});

struct OtherName {
  std::string_view name, usual;
};
constexpr auto kOtherNames = std::to_array<OtherName>({{"bash", "sh"},
                                                       {"dash", "sh"},
                                                       {"ash", "sh"},
                                                       {"zsh", "sh"},
                                                       {"ksh", "sh"},
                                                       {"mksh", "sh"},
                                                       {"fish", "sh"},
                                                       {"pypy", "python"},
                                                       {"nodejs", "node"},
                                                       {"gawk", "awk"},
                                                       {"mawk", "awk"},
                                                       {"nawk", "awk"},
                                                       {"luajit", "lua"},
                                                       {"gsed", "sed"},
                                                       {"mariadb", "mysql"},
                                                       {"autossh", "ssh"}});

// Runs the command behind its own options and `operands`.
struct Wrapper {
  std::string_view name;
  std::string_view value = {};  // options followed by a value
  std::string_view stops = {};  // options that run nothing
  size_t operands = 0;
};
constexpr auto kWrappers = std::to_array<Wrapper>({
    {.name = "env", .value = "uC"},
    {.name = "timeout", .value = "ks", .operands = 1},
    {.name = "nohup"},
    {.name = "nice", .value = "n"},
    {.name = "ionice", .value = "cnpPu"},
    {.name = "setsid"},
    {.name = "stdbuf", .value = "ioe"},
    {.name = "time", .value = "of"},
    {.name = "exec", .value = "a"},
    {.name = "command", .stops = "vV"},
    {.name = "builtin"},
    {.name = "xargs", .value = "InPLdsEa"},
    {.name = "sudo", .value = "ughpCDTRrtU", .stops = "lvkK"},
    {.name = "doas", .value = "uC"},
    {.name = "busybox"},
    {.name = "chroot", .operands = 1},
    {.name = "flock", .value = "wE", .operands = 1},
    {.name = "strace", .value = "eopsSuE"},
});

// Long options that are followed by words of their own when they are written without "=".
struct LongOption {
  std::string_view name;
  size_t words;
};
constexpr auto kLongOptions = std::to_array<LongOption>(
    {{"--arg", 2},      {"--argjson", 2},    {"--slurpfile", 2}, {"--rawfile", 2},
     {"--indent", 1},   {"--rcfile", 1},     {"--init-file", 1}, {"--unset", 1},
     {"--chdir", 1},    {"--kill-after", 1}, {"--signal", 1},    {"--user", 1},
     {"--group", 1},    {"--max-args", 1},   {"--max-procs", 1}, {"--delimiter", 1},
     {"--arg-file", 1}, {"--max-lines", 1},  {"--output", 1},    {"--format", 1},
     {"--interval", 1}, {"--timeout", 1},    {"--require", 1},   {"--field-separator", 1},
     {"--assign", 1},   {"--adjustment", 1}, {"--jobs", 1}});
constexpr auto kLongCode =
    std::to_array<std::string_view>({"--eval", "--print", "--expression", "--source", "--command",
                                     "--execute", "--split-string", "--file", "--from-file"});

// Prints its words, or looks for them: that one of them is "sh" means nothing.
constexpr auto kTakesText = std::to_array<std::string_view>(
    {"echo", "printf", "print", "cat", "grep", "test", "[", "[[", "which", "type", "cd"});

using CommandWords = std::span<const ShellWord>;
constexpr int kMostWrappers = 20;  // one within the other

// "/usr/bin/python3.11" is "python".
std::string_view program_of_word(std::string_view text) {
  if (text == ".") return text;
  text = text.substr(text.rfind('/') + 1);
  for (const Evaluator& evaluator : kEvaluators) {
    if (evaluator.name == text) return text;
  }
  while (!text.empty() &&
         (std::isdigit(static_cast<unsigned char>(text.back())) != 0 || text.back() == '.')) {
    text.remove_suffix(1);
  }
  for (const OtherName& other : kOtherNames) {
    if (other.name == text) return other.usual;
  }
  return text;
}

template <typename Table>
const typename Table::value_type* find_named(const Table& table, std::string_view name) {
  const auto found = std::ranges::find(table, name, &Table::value_type::name);
  return found == table.end() ? nullptr : &*found;
}

bool is_option(const ShellWord& word) {
  return word.text.size() > 1 && (word.text[0] == '-' || word.text[0] == '+');
}

/// Whether the word is an option; a "--" that ends them is passed over.
bool has_option(CommandWords words, size_t& at) {
  if (at >= words.size() || !is_option(words[at])) return false;
  if (words[at].text != "--") return true;
  ++at;
  return false;
}

// How many words of its own follow a long option.
size_t words_behind(std::string_view option) {
  const LongOption* known = find_named(kLongOptions, option);
  return known == nullptr ? 0 : known->words;
}

class EvaluatorCheck {
 public:
  explicit EvaluatorCheck(const std::vector<std::string>& variables) {
    for (const std::string& name : variables) origins_[name] = name;
  }

  void check(const ShellCommand& command) {
    const bool assigns_only = command.words.empty();
    for (const auto& [name, word] : command.assignments) {
      if (assigns_only) assign(name, word);
    }
    if (assigns_only) return;
    static constexpr std::array<std::string_view, 5> kDeclares{"export", "local", "readonly",
                                                               "declare", "typeset"};
    if (std::ranges::find(kDeclares, command.words.front().text) != kDeclares.end()) {
      for (const ShellWord& word : command.words) {
        const size_t equals = word.text.find('=');
        if (equals != std::string::npos) assign(word.text.substr(0, equals), word);
      }
      return;
    }
    run(command.words, command.fed);
  }

  std::vector<EvaluatedValue> take() { return std::move(found_); }

 private:
  void assign(const std::string& name, const ShellWord& word) {
    if (const std::string origin = origin_of(word); !origin.empty()) {
      origins_[name] = origin;
    } else {
      origins_.erase(name);
    }
  }

  [[nodiscard]] std::string origin_of(const std::vector<std::string>& names) const {
    for (const std::string& name : names) {
      if (const auto known = origins_.find(name); known != origins_.end()) return known->second;
    }
    return {};
  }
  [[nodiscard]] std::string origin_of(const ShellWord& word) const { return origin_of(word.names); }

  void report(const std::vector<std::string>& names, std::string place, Safety safety) {
    const std::string origin = origin_of(names);
    if (origin.empty()) return;
    found_.push_back(
        {origin, std::move(place), std::string(safe_way(safety)), safety == Safety::kSql});
  }
  void report(const ShellWord& word, std::string place, Safety safety) {
    report(word.names, std::move(place), safety);
  }

  void run(CommandWords words, const std::vector<std::string>& fed) {
    if (words.empty() || depth_ == kMostWrappers) return;
    ++depth_;
    run_program(words, fed);
    --depth_;
  }

  void run_program(CommandWords words, const std::vector<std::string>& fed) {
    if (!origin_of(words.front()).empty()) {
      return report(words.front(), "the name of the command that is run", Safety::kEval);
    }
    const std::string_view name = program_of_word(words.front().text);
    if (const Wrapper* wrapper = find_named(kWrappers, name)) return unwrap(*wrapper, words, fed);
    const Evaluator* evaluator = find_named(kEvaluators, name);
    if (evaluator != nullptr && (is_installed(words.front().text) || runs_options(*evaluator))) {
      return evaluate(*evaluator, words, fed, false);
    }
    if (name == "find") return find(words);
    if (std::ranges::find(kTakesText, name) != kTakesText.end()) return;
    scan(words);
  }

  // `./watch` is some program of the project.
  static bool is_installed(std::string_view text) {
    return !text.contains('/') || text.starts_with('/');
  }
  static bool runs_options(const Evaluator& evaluator) {
    return !evaluator.code.empty() && evaluator.operand == kProgramFile;
  }

  // A program that is not known may run another one: `docker exec it sh -c ...`.
  void scan(CommandWords words) {
    for (size_t i = 1; i + 1 < words.size(); ++i) {
      const Evaluator* evaluator = find_named(kEvaluators, program_of_word(words[i].text));
      if (evaluator != nullptr && runs_options(*evaluator))
        evaluate(*evaluator, words.subspan(i), {}, true);
    }
  }

  void find(CommandWords words) {
    static constexpr std::array<std::string_view, 4> kRuns{"-exec", "-execdir", "-ok", "-okdir"};
    for (size_t i = 1; i < words.size(); ++i) {
      if (std::ranges::find(kRuns, words[i].text) == kRuns.end()) continue;
      const size_t start = i + 1;
      while (i + 1 < words.size() && words[i + 1].text != ";" && words[i + 1].text != "+") ++i;
      if (start <= i) run(words.subspan(start, i + 1 - start), {});
    }
  }

  void unwrap(const Wrapper& wrapper, CommandWords words, const std::vector<std::string>& fed) {
    std::string replaced;
    const std::optional<size_t> behind = skip_options(wrapper, words, replaced);
    if (!behind) return;
    size_t i = *behind;
    if (wrapper.name == "env") {
      while (i < words.size() && words[i].text.contains('=')) ++i;
    }
    i += wrapper.operands;
    if (i >= words.size()) return;
    if (wrapper.name == "flock" && words[i].text == "-c") {
      if (i + 1 < words.size())
        report(words[i + 1], "the code that `flock -c` runs", Safety::kShell);
      return;
    }
    const CommandWords rest = words.subspan(i);
    if (wrapper.name == "xargs") return run_with(rest, fed, replaced);
    run(rest, fed);
  }

  // Where the wrapper's own options end. Nothing: it runs nothing, or takes its command out of an
  // option. `replaced`: what xargs -I names.
  std::optional<size_t> skip_options(const Wrapper& wrapper, CommandWords words,
                                     std::string& replaced) {
    size_t i = 1;
    for (; has_option(words, i); ++i) {
      const std::string_view text = words[i].text;
      const bool is_long = text.starts_with("--");
      const bool splits = is_long ? text.starts_with("--split-string")
                                  : wrapper.name == "env" && text.contains('S');
      if (splits) {
        split_string(words, i);
        return std::nullopt;
      }
      if (is_long) {
        i += words_behind(text);
        continue;
      }
      if (text.find_first_of(wrapper.stops) != std::string_view::npos) return std::nullopt;
      const size_t with_value = text.find_first_of(wrapper.value, 1);
      if (with_value == std::string_view::npos) continue;
      std::string_view value = text.substr(with_value + 1);
      if (value.empty() && ++i < words.size()) value = words[i].text;
      if (text[with_value] == 'I' && wrapper.name == "xargs") replaced = value;
    }
    return i;
  }

  void split_string(CommandWords words, size_t at) {
    const bool here = words[at].text.contains('=') || !origin_of(words[at]).empty();
    if (here || at + 1 < words.size()) {
      report(words[here ? at : at + 1], "the command that `env -S` runs", Safety::kEval);
    }
  }

  // xargs: what it reads becomes words of the command.
  void run_with(CommandWords words, const std::vector<std::string>& fed,
                const std::string& replaced) {
    std::vector<ShellWord> made(words.begin(), words.end());
    if (replaced.empty()) {
      made.push_back({"\1", fed});
    } else {
      for (ShellWord& word : made) {
        if (word.text.contains(replaced))
          word.names.insert(word.names.end(), fed.begin(), fed.end());
      }
    }
    run(made, {});
  }

  // `only_options`: code that no option announces does not count.
  void evaluate(const Evaluator& evaluator, CommandWords words, const std::vector<std::string>& fed,
                bool only_options) {
    const OptionsRead read = read_options(evaluator, words);
    if (read.only_data_follows) return;
    const std::string& shown = words.front().text;
    const CommandWords rest = words.subspan(std::min(read.next, words.size()));
    if (is_shell(evaluator) && read.has_code) {
      if (!rest.empty()) report_option(evaluator, shown, 'c', rest.front());
      return;
    }
    if (only_options || read.has_code) return;
    operands(evaluator, rest, shown, read.reads_input, fed);
  }

  struct OptionsRead {
    size_t next = 1;                 // the first word that is no option
    bool has_code = false;           // an option announced code
    bool reads_input = false;        // sh -s
    bool only_data_follows = false;  // python3 -m
  };

  static bool is_shell(const Evaluator& evaluator) { return evaluator.name == "sh"; }

  // Reports what of the options is code.
  OptionsRead read_options(const Evaluator& evaluator, CommandWords words) {
    OptionsRead read;
    while (has_option(words, read.next) && !read.only_data_follows) {
      if (words[read.next].text.starts_with("--")) {
        read_long_option(evaluator, words, read);
      } else {
        read_letters(evaluator, words, read);
      }
      ++read.next;
    }
    return read;
  }

  void read_long_option(const Evaluator& evaluator, CommandWords words, OptionsRead& read) {
    const std::string_view text = words[read.next].text;
    const std::string_view name = text.substr(0, text.find('='));
    if (std::ranges::find(kLongCode, name) == kLongCode.end()) {
      read.next += words_behind(text);
      return;
    }
    read.has_code = true;
    if (name == text) ++read.next;
    if (read.next >= words.size()) return;
    report(words[read.next], fmt::format("the code that `{} {}` runs", words.front().text, name),
           evaluator.safety);
  }

  void read_letters(const Evaluator& evaluator, CommandWords words, OptionsRead& read) {
    const std::string& shown = words.front().text;
    const std::string_view text = words[read.next].text;
    bool code_follows = false;  // in a word of its own
    for (size_t j = 1; j < text.size(); ++j) {
      const char letter = text[j];
      const bool is_last = j + 1 == text.size();
      if (evaluator.last.contains(letter)) {
        read.only_data_follows = true;
        return;
      }
      if (is_shell(evaluator) && letter == 's') read.reads_input = true;
      if (evaluator.rest.contains(letter)) break;
      if (evaluator.value.contains(letter)) {
        if (is_last) ++read.next;
        break;
      }
      if (!evaluator.code.contains(letter) && !evaluator.file.contains(letter)) continue;
      read.has_code = read.has_code || evaluator.name != "ssh";
      if (!evaluator.is_attached) {
        code_follows = true;
        continue;
      }
      if (is_last) ++read.next;
      if (read.next < words.size()) report_option(evaluator, shown, letter, words[read.next]);
      return;
    }
    if (!code_follows || is_shell(evaluator)) return;
    ++read.next;
    if (read.next < words.size()) {
      report_option(evaluator, shown, evaluator.code[0], words[read.next]);
    }
  }

  void report_option(const Evaluator& evaluator, const std::string& shown, char letter,
                     const ShellWord& word) {
    report(word, fmt::format("the code that `{} -{}` runs", shown, letter), evaluator.safety);
  }

  void operands(const Evaluator& evaluator, CommandWords words, const std::string& shown,
                bool reads_input, const std::vector<std::string>& fed) {
    const std::string code = fmt::format("the code that `{}` runs", shown);
    switch (evaluator.operand) {
      case kData:
        return;
      case kProgramFile:
        if (reads_input || words.empty() || words.front().text == "-") {
          return report(fed, code, evaluator.safety);
        }
        return report(words.front(), fmt::format("the name of the file that `{}` runs", shown),
                      Safety::kEval);
      case kCode:
        if (!words.empty()) report(words.front(), code, evaluator.safety);
        return;
      case kAllCode:
        for (const ShellWord& word : words) {
          if (evaluator.name == "parallel" && word.text.starts_with(":::")) return;
          report(word, code, evaluator.safety);
        }
        return;
      case kCodeBehindFirst:
        for (size_t i = 1; i < words.size(); ++i) report(words[i], code, evaluator.safety);
        return;
    }
  }

  int depth_ = 0;
  std::map<std::string, std::string> origins_;  // variable -> the value it holds
  std::vector<EvaluatedValue> found_;
};

}  // namespace

std::vector<EvaluatedValue> evaluated_values(const std::vector<ShellCommand>& commands,
                                             const std::vector<std::string>& variables) {
  if (variables.empty()) return {};
  EvaluatorCheck check(variables);
  for (const ShellCommand& command : commands) check.check(command);
  return check.take();
}

}  // namespace wave::model
