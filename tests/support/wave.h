// The real binary, driven as a person or script would.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "support/project.h"

namespace wave::test {

/// wave with these arguments in the project, to its end.
Exit wave(const Project& project, std::vector<std::string> arguments,
          std::map<std::string, std::string> more_environment = {});
/// The same, started only.
std::unique_ptr<Program> start_wave(const Project& project, std::vector<std::string> arguments,
                                    std::map<std::string, std::string> more_environment = {});

/// Parses one JSON text; fails the test if it is none.
json::value parsed(const std::string& text);
/// The run's events so far, from its log, in order. Empty while there is no run.
std::vector<json::object> events(const Project& project, const std::string& run_id);
/// The id of the newest run, or nothing.
std::optional<std::string> newest_run(const Project& project);
std::string wait_for_run(const Project& project);
/// The run's status, by `wave status --json`.
std::string status(const Project& project, const std::string& run_id);
bool wait_for_status(const Project& project, const std::string& run_id, const std::string& status);
/// Waits for an event of this kind (and step); fails the test if it does not come.
json::object wait_for_event(const Project& project, const std::string& run_id,
                            const std::string& kind, const std::string& step = {});
/// How many events of a kind (and step).
size_t count_events(const std::vector<json::object>& events, const std::string& kind,
                    const std::string& step = {});
/// seq is 1, 2, 3 ...; ts never decreases; at most one terminal event, and that is the last.
void expect_sound(const std::vector<json::object>& events);
/// Living processes that belong to agents of the run.
std::vector<pid_t> agents_of(const std::string& run_id);

}  // namespace wave::test
