#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/style.h"

namespace wave::cli {
namespace {

Result<int> verify(Context& context, store::AccessStore& access) {
  WAVE_TRY(const store::AuditCheck check, access.verify_audit());
  const bool intact = check.broken_at == 0;
  if (context.json()) {
    context.print_json(
        json::object{{"intact", intact},
                     {"entries", check.entries},
                     {"head", check.head},
                     {"broken_at", intact ? json::value(nullptr) : json::value(check.broken_at)},
                     {"problem", intact ? json::value(nullptr) : json::value(check.problem)}});
  } else if (intact) {
    context.print(fmt::format("{} entries, all in place; head {}\n", check.entries,
                              check.head.empty() ? "none" : check.head));
    context.note("write the head down elsewhere: it shows later whether the end was cut off\n");
  } else {
    context.print(fmt::format("broken at entry {}: {}\n", check.broken_at, check.problem));
  }
  return intact ? 0 : 1;
}

}  // namespace

Result<int> run_audit(Context& context, const AuditOptions& options) {
  WAVE_TRY(store::Store * store, context.open_store(Access::kRead));
  store::AccessStore* access = store->access();
  if (access == nullptr) return fail(Code::kUnsupported, "this store keeps no audit log");
  if (options.what == "verify") return verify(context, *access);
  WAVE_TRY(const auto entries, access->audit({.before = 0,
                                              .actor = options.actor,
                                              .action = options.action,
                                              .outcome = options.outcome,
                                              .limit = static_cast<size_t>(options.limit)}));
  if (context.json()) {
    json::array list;
    for (const store::AuditEntry& entry : entries) {
      list.push_back(json::object{{"id", entry.id},
                                  {"at", format_time(entry.at)},
                                  {"actor", entry.actor},
                                  {"address", entry.address},
                                  {"action", entry.action},
                                  {"target", entry.target},
                                  {"outcome", entry.outcome},
                                  {"status", entry.status},
                                  {"detail", entry.detail},
                                  {"previous", entry.previous},
                                  {"hash", entry.hash}});
    }
    context.print_json(json::object{{"entries", std::move(list)}});
    return 0;
  }
  if (entries.empty()) {
    context.print("nothing was written down yet\n");
    return 0;
  }
  std::vector<std::vector<std::string>> rows{
      {"ID", "WHEN", "WHO", "FROM", "WHAT", "ON", "OUTCOME"}};
  for (const store::AuditEntry& entry : entries) {
    rows.push_back(
        {std::to_string(entry.id), format_time(entry.at), printable(entry.actor),
         printable(entry.address), printable(entry.action), printable(entry.target),
         entry.status == 0 ? entry.outcome : fmt::format("{} ({})", entry.outcome, entry.status)});
  }
  context.print(table(rows));
  return 0;
}

}  // namespace wave::cli
