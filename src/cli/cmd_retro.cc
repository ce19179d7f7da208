#include "base/text.h"
#include "cli/commands.h"
#include "cli/retro_text.h"

namespace wave::cli {
namespace {

namespace retro = server::retro;

Result<int> one_run(Context& context, store::Store& store, const std::string& prefix) {
  WAVE_TRY(const std::string run_id, context.resolve_run(prefix));
  retro::RetroReader reader(store);
  WAVE_TRY(const auto found, reader.read(run_id, true));
  WAVE_TRY(const retro::Comparison comparison, reader.compare(*found));
  if (context.json()) {
    json::object object = flow::to_json(*found);
    object["comparison"] = retro::to_json(comparison);
    context.print_json(object);
  } else {
    context.print(retro_text(*found, comparison, context.colors()));
  }
  return 0;
}

/// "7d" ago, or a time.
Result<std::optional<WallTime>> since_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (const auto time = parse_time(text)) return time;
  if (const auto ago = parse_duration(text)) return SystemClock().wall() - *ago;
  return fail(Code::kUsage,
              "--since: \"" + excerpt(text, 40) + "\" is neither a time nor a duration",
              "write it as 7d, or as 2026-01-31T08:00:00Z");
}

Result<int> many_runs(Context& context, store::Store& store, const RetroOptions& options) {
  retro::RetroFilter filter;
  filter.pipeline = options.pipeline;
  filter.step = options.step;
  filter.limit = static_cast<size_t>(options.limit);
  WAVE_TRY(filter.since, since_of(options.since));
  retro::RetroReader reader(store);
  WAVE_TRY(const retro::RetroList list, retro::list_retros(store, reader, filter));
  if (context.json()) {
    context.print_json(retro::to_json(list, options.step));
  } else if (list.retros.empty()) {
    context.print("no run has ended yet\n");
  } else if (options.what == "stats") {
    context.print(stats_text(retro::stats_of(list.retros, options.step), context.colors()));
  } else {
    context.print(retros_table(list.retros, context.colors()));
  }
  return 0;
}

}  // namespace

Result<int> run_retro(Context& context, const RetroOptions& options) {
  WAVE_TRY(store::Store * store, context.open_store(Access::kRead));
  if (options.what == "list" || options.what == "stats") {
    return many_runs(context, *store, options);
  }
  return one_run(context, *store, options.what);
}

}  // namespace wave::cli
