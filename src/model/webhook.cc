#include "model/webhook.h"

#include <functional>

#include "base/text.h"

namespace wave::model {
namespace {

/// Calls `literal` and `placeholder` for the parts of a text, in order.
void walk(std::string_view text, const std::function<void(std::string_view)>& literal,
          const std::function<void(std::string_view)>& placeholder) {
  while (!text.empty()) {
    const size_t open = text.find("{{");
    const size_t close = open == std::string_view::npos ? open : text.find("}}", open);
    if (close == std::string_view::npos) return literal(text);
    literal(text.substr(0, open));
    placeholder(trim(text.substr(open + 2, close - open - 2)));
    text.remove_prefix(close + 2);
  }
}

}  // namespace

std::string_view to_string(Webhook::Provider provider) {
  switch (provider) {
    case Webhook::Provider::kGithub:
      return "github";
    case Webhook::Provider::kGitlab:
      return "gitlab";
    case Webhook::Provider::kGitea:
      return "gitea";
    case Webhook::Provider::kGeneric:
      return "generic";
  }
  return "";
}

bool is_comment_event(std::string_view event) {
  return event == "comment" || event == "review";
}

std::vector<std::string> unknown_webhook_placeholders(std::string_view text) {
  std::vector<std::string> unknown;
  walk(
      text, [](std::string_view) {},
      [&unknown](std::string_view name) {
        if (std::ranges::find(kWebhookPlaceholders, name) == kWebhookPlaceholders.end()) {
          unknown.emplace_back(name);
        }
      });
  return unknown;
}

std::string render_webhook_text(std::string_view text,
                                const std::map<std::string, std::string>& values) {
  std::string out;
  walk(
      text, [&out](std::string_view literal) { out += literal; },
      [&](std::string_view name) {
        if (const auto found = values.find(std::string(name)); found != values.end()) {
          out += found->second;
        }
      });
  return out;
}

}  // namespace wave::model
