#include "cli/error_printer.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/style.h"

namespace wave::cli {
namespace {

/// Messages may quote what agents and files say: lines stay lines, terminal codes do not stay.
std::string indented(const std::string& text, const std::string& indent) {
  std::string result;
  for (const std::string& line : split(text, '\n')) {
    if (!result.empty()) result += "\n" + indent;
    result += printable(line);
  }
  return result;
}

std::string one_error_text(const Error& error, bool colors) {
  const Style style(colors);
  std::string text = style.paint(Ink::kBad, fmt::format("error[{}]", code_name(error.code)));
  text += ": " + indented(error.message, "  ") + "\n";
  if (error.source) text += fmt::format("  --> {}\n", printable(to_string(*error.source)));
  for (const Error* cause = error.cause.get(); cause != nullptr; cause = cause->cause.get()) {
    text += "  because: " + indented(cause->message, "    ") + "\n";
    if (cause->source && cause->source != error.source) {
      text += fmt::format("  --> {}\n", printable(to_string(*cause->source)));
    }
  }
  if (!error.hint.empty()) {
    text +=
        "  " + style.paint(Ink::kFaint, "hint:") + " " + indented(error.hint, "        ") + "\n";
  }
  return text;
}

}  // namespace

std::string error_text(const Error& error, bool colors) {
  std::string text = one_error_text(error, colors);
  for (const Error& other : error.others) text += one_error_text(other, colors);
  return text;
}
json::object error_json(const Error& error) {
  json::object body{{"code", code_name(error.code)}, {"message", error.message}};
  if (!error.hint.empty()) body["hint"] = error.hint;
  if (error.source) {
    body["source"] = json::object{{"file", error.source->file},
                                  {"line", error.source->line},
                                  {"column", error.source->column}};
  }
  json::array causes;
  for (const Error* cause = error.cause.get(); cause != nullptr; cause = cause->cause.get()) {
    causes.emplace_back(cause->message);
  }
  if (!causes.empty()) body["causes"] = std::move(causes);
  json::array others;
  for (const Error& other : error.others) others.push_back(error_json(other).at("error"));
  if (!others.empty()) body["errors"] = std::move(others);
  return {{"error", std::move(body)}};
}

}  // namespace wave::cli
