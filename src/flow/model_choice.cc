#include "flow/model_choice.h"

#include <array>

#include "base/text.h"

namespace wave::flow {
namespace {

constexpr std::array<std::string_view, 3> kTiers{"cheapest", "balanced", "strongest"};

/// 0 to 2, or nothing for a literal model id.
std::optional<size_t> tier_of(std::string_view model) {
  const auto found = std::ranges::find(kTiers, model);
  if (found == kTiers.end()) return std::nullopt;
  return static_cast<size_t>(found - kTiers.begin());
}

/// runtime.routing.auto_route: the tier that suits a persona, by its name.
std::string routed_tier(const model::RoutingConfig& routing, std::string_view persona) {
  const std::string name = to_lower(persona);
  const auto mentions = [&](std::string_view word) { return name.find(word) != std::string::npos; };
  constexpr std::array<std::string_view, 4> kCheap{"navigator", "summarizer", "auditor", "planner"};
  constexpr std::array<std::string_view, 7> kStrong{"craftsman",  "implementer", "debugger",
                                                    "researcher", "supervisor",  "philosopher",
                                                    "provocateur"};
  if (std::ranges::any_of(kCheap, mentions)) return "cheapest";
  if (std::ranges::any_of(kStrong, mentions)) return "strongest";
  return routing.default_tier.empty() ? "balanced" : routing.default_tier;
}

std::string adapter_default(const model::Manifest& manifest, const std::string& adapter) {
  const auto found = manifest.adapters.find(adapter);
  return found == manifest.adapters.end() ? std::string() : found->second.default_model;
}

/// What step, persona and adapter ask for, without the command line: tier or literal.
std::string configured_model(const model::Manifest& manifest, const model::Step& step,
                             const model::Persona* persona, const std::string& adapter) {
  if (!step.model.empty()) return step.model;
  const bool own_adapter = persona != nullptr && persona->adapter == adapter;
  // A model name of one agent means nothing to another.
  if (!own_adapter) return adapter_default(manifest, adapter);
  if (!persona->model.empty()) return persona->model;
  const model::RoutingConfig& routing = manifest.runtime.routing;
  if (routing.auto_route) return routed_tier(routing, persona->name);
  return adapter_default(manifest, adapter);
}

/// `--model` over what is configured; of two tiers the cheaper one.
std::string overridden(const std::string& configured, const RunOptions& options, bool named) {
  const auto asked = tier_of(options.model);
  const auto own = tier_of(configured);
  if (!asked || !own || !named) return options.model;
  return std::string(kTiers[std::min(*asked, *own)]);
}

std::string raised(const std::string& model, int attempt) {
  const auto tier = tier_of(model);
  if (!tier || attempt <= 1) return model;
  const size_t wanted = *tier + static_cast<size_t>(attempt - 1);
  return std::string(kTiers[std::min(wanted, kTiers.size() - 1)]);
}

}  // namespace

ModelChoice choose_model(const model::Manifest& manifest, const model::Step& step,
                         const model::Persona* persona, const RunOptions& options, int attempt) {
  if (step.kind == model::StepKind::kCommand)
    return {.adapter = "command", .model = {}, .tier = {}};
  ModelChoice choice;
  choice.adapter = !options.adapter.empty() ? options.adapter
                   : !step.adapter.empty()  ? step.adapter
                   : persona != nullptr     ? persona->adapter
                                            : std::string();
  std::string wanted = configured_model(manifest, step, persona, choice.adapter);
  const bool forced = options.force_model && !options.model.empty();
  if (forced) {
    wanted = options.model;
  } else if (!options.model.empty()) {
    const bool named = !step.model.empty() || (persona != nullptr && !persona->model.empty());
    wanted = overridden(wanted, options, named);
  }
  if (!forced && !step.retry.no_escalate) wanted = raised(wanted, attempt);
  if (tier_of(wanted)) choice.tier = wanted;
  choice.model = resolve_model(manifest, choice.adapter, wanted);
  return choice;
}

std::string resolve_model(const model::Manifest& manifest, const std::string& adapter,
                          const std::string& model_or_tier) {
  if (!tier_of(model_or_tier)) return model_or_tier;
  if (const auto config = manifest.adapters.find(adapter); config != manifest.adapters.end()) {
    const auto& tiers = config->second.tier_models;
    if (const auto found = tiers.find(model_or_tier); found != tiers.end()) return found->second;
  }
  const auto& map = manifest.runtime.routing.complexity_map;
  if (const auto found = map.find(model_or_tier); found != map.end()) return found->second;
  if (model_or_tier == kTiers[0]) return "claude-haiku-4-5";
  if (model_or_tier == kTiers[2]) return "claude-opus-4";
  return {};
}

}  // namespace wave::flow
