#include "agent/prompt.h"

#include "agent/contract_text.h"
#include "agent/permit.h"
#include "base/text.h"

namespace wave::agent {
namespace {

constexpr size_t kMaxOutputTail = 2000;
constexpr size_t kMaxFailureMessage = 4 << 10;
constexpr size_t kMaxContractError = 1 << 10;
constexpr size_t kMaxContractErrors = 20;

std::string section(std::string_view title, std::string_view body) {
  return fmt::format("## {}\n\n{}\n", title, trim(body));
}

std::string output_line(const PromptRequest& request, const std::string& name,
                        const std::string& path) {
  const model::OutputArtifact* declared = nullptr;
  for (const auto& artifact : request.step->output_artifacts) {
    if (artifact.name == name) declared = &artifact;
  }
  if (declared != nullptr && declared->from_stdout) {
    return fmt::format("- {}: your final answer, as {}\n", name, declared->type);
  }
  std::string line = fmt::format("- {}: write it to `{}`", name, path);
  if (declared == nullptr) return line + "\n";
  if (declared->type == "json") line += " as one JSON document, without a fence around it";
  if (declared->type == "markdown") line += " as Markdown";
  if (declared->type == "text") line += " as plain text";
  if (declared->type == "binary") line += " as a binary file";
  if (declared->required) line += " (the step fails without it)";
  return line + "\n";
}

std::string outputs_section(const PromptRequest& request) {
  if (request.outputs.empty()) return {};
  std::string body = "Later steps read exactly these; nothing else you write is passed on.\n\n";
  for (const auto& [name, path] : request.outputs) body += output_line(request, name, path);
  return section("What to produce", body);
}

std::string inputs_section(const PromptRequest& request) {
  if (request.inputs.empty()) return {};
  std::string body;
  for (const auto& input : request.inputs) {
    const std::string from =
        input.from_step.empty() ? "" : fmt::format(", from step {}", input.from_step);
    if (input.optional_absent) {
      body += fmt::format("- {}{}: there is none this time, and you can do without it\n",
                          input.name, from);
      continue;
    }
    const std::string type = input.type.empty() ? "" : fmt::format(" ({})", input.type);
    body += fmt::format("- {}: `{}`{}{}\n", input.name, input.path, type, from);
  }
  return section("What you have to work with", body);
}

std::string failure_details(const flow::Failure& failure) {
  std::string body;
  if (!failure.message.empty()) {
    body += fmt::format("What went wrong: {}\n", excerpt(failure.message, kMaxFailureMessage));
  }
  if (!failure.contract_errors.empty()) {
    body += "\nThe check of the result said:\n";
    size_t shown = 0;
    for (const auto& error : failure.contract_errors) {
      if (shown++ == kMaxContractErrors) {
        body += fmt::format("- and {} more\n", failure.contract_errors.size() - kMaxContractErrors);
        break;
      }
      body += fmt::format("- {}\n", excerpt(error, kMaxContractError));
    }
  }
  if (!failure.output_tail.empty()) {
    body += fmt::format("\nThe last words before that:\n\n{}\n",
                        fenced(to_valid_utf8(utf8_suffix(failure.output_tail, kMaxOutputTail))));
  }
  return body;
}

std::string retry_section(const PromptRequest& request) {
  if (request.attempt <= 1 || !request.rework_of.empty()) return {};
  std::string body = fmt::format(
      "This is attempt {} of {}. What the attempt before left in the workspace may still be there: "
      "look at it first, keep what is good.\n\n",
      request.attempt, std::max(request.attempt, request.max_attempts));
  body += failure_details(request.failure);
  return section("The attempt before this one failed", body);
}

std::string rework_section(const PromptRequest& request) {
  if (request.rework_of.empty()) return {};
  std::string body = fmt::format("Step {} did not deliver what it had to. You repair its work.\n\n",
                                 request.rework_of);
  body += failure_details(request.failure);
  if (!request.rework_artifacts.empty()) {
    body += "\nWhat it left behind:\n";
    for (const auto& path : request.rework_artifacts) body += fmt::format("- `{}`\n", path);
  }
  return section("What there is to repair", body);
}

std::string checkpoint_section(const PromptRequest& request) {
  if (!request.resumed_from_checkpoint) return {};
  return section(
      "You take over in the middle",
      "An earlier try at this step was interrupted from outside. The workspace is as its "
      "last checkpoint kept it, so part of the work may be done already: look before you "
      "repeat anything that has an effect outside the workspace.");
}

std::string restrictions(const PromptRequest& request) {
  if (is_unrestricted(request.permissions)) return {};
  const auto& [allowed, denied] = request.permissions;
  std::string body;
  if (!allowed.empty() && std::ranges::find(allowed, "*") == allowed.end()) {
    body += fmt::format("You may use only these tools: {}.\n", join(allowed, ", "));
  }
  if (!denied.empty()) body += fmt::format("You may not use: {}.\n", join(denied, ", "));
  body +=
      "This is enforced. When something you need is refused, do not look for a way around it: do "
      "what you can without it, and say in your answer what was missing.";
  return section("Limits", body);
}

// The base protocol and persona prompts are texts, not templates, but they may name the run.
std::string name_the_run(std::string_view text, const PromptRequest& request) {
  std::string result;
  while (!text.empty()) {
    const size_t open = text.find("{{");
    const size_t close = open == std::string_view::npos ? open : text.find("}}", open);
    if (close == std::string_view::npos) break;
    const std::string_view name = trim(text.substr(open + 2, close - open - 2));
    result += text.substr(0, open);
    if (name == "run.id" || name == "pipeline_id" || name == "pipeline_context.pipeline_id") {
      result += request.run_id;
    } else if (name == "step_id" || name == "pipeline_context.step_id") {
      result += request.step->id;
    } else {
      result += text.substr(open, close + 2 - open);
    }
    text.remove_prefix(close + 2);
  }
  return result.append(text);
}

void append_part(std::string& text, std::string_view part) {
  part = trim(part);
  if (part.empty()) return;
  if (!text.empty()) text += "\n\n";
  text += part;
}

}  // namespace

Prompt assemble_prompt(const PromptRequest& request) {
  Prompt prompt;
  if (request.manifest != nullptr) {
    append_part(prompt.system, name_the_run(request.manifest->base_protocol, request));
  }
  if (request.persona != nullptr) {
    append_part(prompt.system, name_the_run(request.persona->system_prompt, request));
  }
  append_part(prompt.system, restrictions(request));
  if (!prompt.system.empty()) prompt.system += '\n';

  // A slash command is one only when nothing stands before it.
  const bool task_first = request.step->exec.type == model::Exec::Type::kSlashCommand;
  if (task_first) append_part(prompt.user, request.task);
  append_part(prompt.user, outputs_section(request));
  append_part(prompt.user, inputs_section(request));
  append_part(prompt.user, checkpoint_section(request));
  append_part(prompt.user, retry_section(request));
  append_part(prompt.user, rework_section(request));
  if (!task_first) {
    const bool alone = prompt.user.empty();
    append_part(prompt.user, alone ? request.task : section("Your task", request.task));
  }
  append_part(prompt.user, contracts_section(request.step->contracts, request.contract_commands));
  prompt.user += '\n';
  return prompt;
}

}  // namespace wave::agent
