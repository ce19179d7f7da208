#include "model/webhook_tables.h"

#include <fmt/format.h>

#include <set>

#include "base/text.h"
#include "model/project.h"

namespace wave::model {
namespace {

/// Reads one webhook's findings into the diagnostics.
class Check {
 public:
  Check(const Webhook& webhook, size_t index, const yaml::Document& document,
        Diagnostics& diagnostics)
      : webhook_(webhook), index_(index), document_(document), diagnostics_(diagnostics) {}

  void run(const std::vector<std::string>& pipelines) {
    if (!webhook_.name.empty() && !is_safe_name(webhook_.name)) {
      error("name", fmt::format("\"{}\" is no safe name", excerpt(webhook_.name, 80)),
            "use letters, digits, \".\", \"_\" and \"-\", starting with a letter or digit");
    }
    check_secret();
    check_events();
    check_actions();
    check_senders();
    check_text("input", webhook_.input);
    for (const auto& [tag, text] : webhook_.tags) check_text("tags." + tag, text);
    check_pipeline(pipelines);
  }

  void twice() {
    error("name", fmt::format("there is a webhook \"{}\" already", webhook_.name),
          "its name is its address: give each one its own");
  }

 private:
  void report(Severity severity, std::string_view key, std::string message, std::string hint) {
    std::string path = fmt::format("server.webhooks[{}].{}", index_, key);
    SourcePos pos = document_.locate(path);
    if (pos.line == 0) pos = webhook_.pos;
    diagnostics_.push_back({severity, Code::kInvalidManifest, std::move(pos), std::move(path),
                            std::move(message), std::move(hint)});
  }
  void error(std::string_view key, std::string message, std::string hint) {
    report(Severity::kError, key, std::move(message), std::move(hint));
  }

  void check_secret() {
    if (webhook_.secret.empty() || webhook_.secret.contains("${")) return;
    report(Severity::kWarning, "secret", "the secret stands in the file",
           "put it into a variable of the server's environment and write \"${NAME}\"");
  }

  void check_events() {
    if (webhook_.provider == Webhook::Provider::kGeneric) return;
    const std::vector<std::string> known(kWebhookEvents.begin(), kWebhookEvents.end());
    for (const std::string& event : webhook_.events) {
      if (std::ranges::find(known, event) != known.end()) continue;
      const auto meant = did_you_mean(event, known);
      error("events", fmt::format("there is no event \"{}\"", excerpt(event, 80)),
            meant ? fmt::format("did you mean \"{}\"?", *meant) : "known are " + join(known, ", "));
    }
    if (webhook_.provider == Webhook::Provider::kGitlab &&
        std::ranges::find(webhook_.events, "review") != webhook_.events.end()) {
      report(Severity::kWarning, "events", "GitLab sends no reviews",
             "an approval is a pull_request with the action \"approved\"; remarks are comments");
    }
    if (webhook_.events.empty()) {
      error("events", "no event would ever start anything", "known are " + join(known, ", "));
    }
  }

  /// A warning only: providers have more actions than are translated, and all of them can be named.
  void check_actions() {
    if (webhook_.provider == Webhook::Provider::kGeneric) return;
    const std::vector<std::string> known(kWebhookActions.begin(), kWebhookActions.end());
    for (const std::string& action : webhook_.actions) {
      if (std::ranges::find(known, action) != known.end()) continue;
      const auto meant = did_you_mean(action, known);
      report(Severity::kWarning, "actions",
             fmt::format("\"{}\" is not an action wave knows", excerpt(action, 80)),
             meant ? fmt::format("did you mean \"{}\"?", *meant)
                   : "it counts only if the provider sends exactly this word; known are " +
                         join(known, ", "));
    }
  }

  void check_senders() {
    for (const std::string& sender : webhook_.senders) {
      if (!sender.empty() && !sender.contains('*')) continue;
      error("senders", fmt::format("\"{}\" is nobody's name", excerpt(sender, 80)),
            "senders are account names, written out; patterns are not understood");
    }
    if (!webhook_.senders.empty()) return;
    const bool takes_comments = std::ranges::any_of(
        webhook_.events, [](const std::string& event) { return is_comment_event(event); });
    if (!takes_comments) return;
    error("senders", "a trigger on comments needs a list of senders",
          "anybody who can comment could start this pipeline, with a text of their own: name the "
          "accounts that may, as in senders: [ada, grace]");
  }

  void check_text(std::string_view key, std::string_view text) {
    const std::vector<std::string> known(kWebhookPlaceholders.begin(), kWebhookPlaceholders.end());
    for (const std::string& name : unknown_webhook_placeholders(text)) {
      const auto meant = did_you_mean(name, known);
      error(key, fmt::format("nothing stands for {{{{ {} }}}}", excerpt(name, 80)),
            meant ? fmt::format("did you mean {{{{ {} }}}}?", *meant)
                  : "known are " + join(known, ", "));
    }
  }

  void check_pipeline(const std::vector<std::string>& pipelines) {
    const std::string& name = webhook_.pipeline;
    if (name.empty() || name.contains('/') || name.ends_with(".yaml")) return;
    if (std::ranges::find(pipelines, name) != pipelines.end()) return;
    const auto meant = did_you_mean(name, pipelines);
    report(
        Severity::kWarning, "pipeline",
        fmt::format("there is no pipeline \"{}\"", excerpt(name, 80)),
        meant ? fmt::format("did you mean \"{}\"?", *meant) : "`wave list pipelines` shows them");
  }

  const Webhook& webhook_;
  const size_t index_;
  const yaml::Document& document_;
  Diagnostics& diagnostics_;
};

}  // namespace

const KeyTable<Webhook>& webhook_keys() {
  using T = Webhook;
  using enum Webhook::Provider;
  static const KeyTable<T> table(
      "server.webhooks", "What may start a run from outside, by POST /api/hooks/<name>.",
      {
          key("name", &T::name, "its name, which is its address").required(),
          choice<T, Webhook::Provider, Webhook::Provider>(
              "provider", &T::provider,
              {{"github", kGithub}, {"gitlab", kGitlab}, {"gitea", kGitea}, {"generic", kGeneric}},
              "who sends, which says how it is signed and read")
              .required(),
          key("secret", &T::secret, "what deliveries are signed with; \"${NAME}\" is expanded")
              .required(),
          key("events", &T::events,
              "push, tag, issue, pull_request, comment, review, release; of generic, any"),
          key("actions", &T::actions,
              "opened, closed, labeled, edited ...; empty: what usually asks for work"),
          key("repos", &T::repos, "patterns of repositories, such as acme/*"),
          key("branches", &T::branches,
              "patterns of branches or tags, such as release-*; a pull request's source, in this "
              "repository unless forks is true"),
          key("base_branches", &T::base_branches,
              "patterns of the branches that pull requests are to be merged into"),
          key("forks", &T::forks, "whether pull requests from other repositories count")
              .fallback("true without branches, else false"),
          key("drafts", &T::drafts, "whether draft pull requests count")
              .fallback("true for named actions and labels, else false"),
          key("labels", &T::labels, "labels of which one has to be put on just now"),
          key("senders", &T::senders,
              "accounts that may start it; comments and reviews need such a list"),
          key("contains", &T::contains, "a text the comment, issue or commit has to have"),
          key("pipeline", &T::pipeline, "what to run").required(),
          key("input", &T::input, "the run's input, with {{ placeholders }}")
              .fallback("title, body and URL"),
          key("tags", &T::tags, "tags of the run; values may have {{ placeholders }}"),
          key("enabled", &T::enabled, "switch").fallback("true"),
      });
  return table;
}

void check_webhooks(const std::vector<Webhook>& webhooks, const yaml::Document& document,
                    const FileSource& files, Diagnostics& diagnostics) {
  if (webhooks.empty()) return;
  const std::vector<std::string> pipelines = pipeline_names(files);
  std::set<std::string> names;
  for (size_t i = 0; i < webhooks.size(); ++i) {
    Check check(webhooks[i], i, document, diagnostics);
    check.run(pipelines);
    if (!webhooks[i].name.empty() && !names.insert(webhooks[i].name).second) check.twice();
  }
}

}  // namespace wave::model
