#include <fmt/format.h>

#include <algorithm>

#include "agent/adapter.h"
#include "base/system_fault.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/run_text.h"
#include "cli/style.h"
#include "model/project.h"
#include "process/run_command.h"

namespace wave::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

/// One kind of thing: its rows for people, its objects for programs.
struct Listing {
  Rows rows;
  json::array objects;
};

Listing list_pipelines(const Context& context, const model::Manifest& manifest) {
  Listing listing{.rows = {{"PIPELINE", "STEPS", "DESCRIPTION"}}, .objects = {}};
  for (const std::string& name : model::pipeline_names(context.files())) {
    const std::string path = ".agents/pipelines/" + name + ".yaml";
    const auto text = context.files().read(path);
    if (!text) continue;
    const auto loaded = model::parse_pipeline(*text, path, manifest, context.files());
    std::vector<std::string> steps;
    for (const model::Step& step : loaded.value.steps) steps.push_back(step.id);
    const std::string note =
        loaded.ok() ? loaded.value.description : "does not load: wave validate";
    listing.rows.push_back({name, std::to_string(steps.size()), excerpt(printable(note), 80)});
    listing.objects.push_back(json::object{{"name", name},
                                           {"description", loaded.value.description},
                                           {"category", loaded.value.category},
                                           {"steps", to_array(steps)},
                                           {"valid", loaded.ok()}});
  }
  return listing;
}

Listing list_personas(const model::Manifest& manifest) {
  Listing listing{.rows = {{"PERSONA", "ADAPTER", "MODEL", "DESCRIPTION"}}, .objects = {}};
  for (const auto& [name, persona] : manifest.personas) {
    listing.rows.push_back({name, persona.adapter, persona.model.empty() ? "-" : persona.model,
                            excerpt(printable(persona.description), 80)});
    listing.objects.push_back(json::object{{"name", name},
                                           {"adapter", persona.adapter},
                                           {"model", persona.model},
                                           {"description", persona.description}});
  }
  return listing;
}

Listing list_adapters(const Context& context, const model::Manifest& manifest) {
  Listing listing{.rows = {{"ADAPTER", "PROGRAM", "FOUND", "DESCRIPTION"}}, .objects = {}};
  const std::string path = context.variable("PATH").value_or("");
  for (const agent::Adapter* adapter : agent::all_adapters()) {
    const agent::AdapterInfo& info = adapter->info();
    const auto configured = manifest.adapters.find(info.name);
    const std::string binary = agent::program_of(info, manifest);
    const auto found = binary.empty() ? std::nullopt : process::find_program(binary, path);
    const bool available = binary.empty() || found.has_value();
    listing.rows.push_back({info.name, binary.empty() ? "built in" : binary,
                            available ? "yes" : "no", printable(info.description)});
    listing.objects.push_back(json::object{{"name", info.name},
                                           {"binary", binary},
                                           {"available", available},
                                           {"path", found ? found->string() : ""},
                                           {"configured", configured != manifest.adapters.end()},
                                           {"description", info.description}});
  }
  return listing;
}

Listing list_contracts(const Context& context) {
  Listing listing{.rows = {{"CONTRACT"}}, .objects = {}};
  for (const std::string& name : context.files().list(".agents/contracts")) {
    listing.rows.push_back({printable(name)});
    listing.objects.push_back(json::object{{"name", name}, {"path", ".agents/contracts/" + name}});
  }
  return listing;
}

Result<Listing> list_runs(Context& context, const ListOptions& options) {
  WAVE_TRY(store::Store * store, context.open_store(Access::kRead));
  store::RunFilter filter;
  filter.limit = static_cast<size_t>(options.limit);
  filter.pipeline = options.run_pipeline;
  if (!options.run_status.empty()) {
    if (!flow::run_status_from_name(options.run_status)) {
      return fail(Code::kUsage, "there is no status '" + options.run_status + "'",
                  "queued, running, waiting, completed, completed_empty, failed, rejected or "
                  "cancelled");
    }
    filter.statuses = {options.run_status};
  }
  WAVE_TRY(const std::vector<flow::RunRow> rows, store->list_runs(filter));
  const WallTime now = SystemClock().wall();
  Listing listing{.rows = {{"RUN", "STATUS", "STARTED"}}, .objects = {}};
  for (const flow::RunRow& row : rows) {
    listing.rows.push_back(
        {row.run_id, row.status, row.started_at ? format_time(*row.started_at) : "-"});
    listing.objects.push_back(run_json(row, "", now));
  }
  return listing;
}

Result<Listing> listing_of(Context& context, const ListOptions& options, const std::string& what,
                           const model::Manifest& manifest) {
  if (what == "pipelines") return list_pipelines(context, manifest);
  if (what == "personas") return list_personas(manifest);
  if (what == "adapters") return list_adapters(context, manifest);
  if (what == "contracts") return list_contracts(context);
  return list_runs(context, options);
}

}  // namespace

Result<int> run_list(Context& context, const ListOptions& options) {
  const ShortageWatch watch;
  const auto manifest =
      model::load_manifest(context.files(), {.manifest_path = context.manifest_path()});
  if (!manifest.ok() && options.what != "runs") {
    context.note("the manifest does not load, so this may not be all; see: wave validate\n");
  }
  std::vector<std::string> kinds{options.what};
  if (options.what.empty()) kinds = {"pipelines", "personas", "adapters", "contracts"};
  json::object all;
  for (const std::string& what : kinds) {
    WAVE_TRY(Listing listing, listing_of(context, options, what, manifest.value));
    if (auto shortage = watch.seen(); shortage && what != "runs") {
      return fail(shortage->wrapped("cannot read the project"));
    }
    if (context.json()) {
      all[what] = std::move(listing.objects);
    } else {
      const bool first = what == kinds.front();
      context.print((first ? "" : "\n") +
                    (listing.rows.size() > 1 ? table(listing.rows) : "no " + what + "\n"));
    }
  }
  if (context.json()) context.print_json(all);
  return 0;
}

}  // namespace wave::cli
