// From files to a program that can run, and from a snapshot to the same program again.
#pragma once

#include <map>
#include <string>

#include "engine/engine.h"
#include "engine/loaded_program.h"

namespace wave::engine {

/// What keeps a pipeline from running, as one error: everything that is wrong; only if nothing is,
/// everything that this version does not carry out (kUnsupported). The first finding is the error,
/// up to 19 more are its `others`, each with its place.
Status check_runnable(const model::Diagnostics& diagnostics, const std::string& pipeline);

/// Loads pipeline and manifest from `project`, the folder's files, with `overlay` files over it,
/// and everything they read. An error names the first thing that is wrong, with its place, and
/// counts the rest; what this version cannot carry out is kUnsupported.
Result<LoadedProgram> load_from_source(const model::FileSource& project,
                                       const store::StatePaths& paths,
                                       const std::string& manifest_path,
                                       const std::string& pipeline,
                                       const std::map<std::string, std::string>& overlay);

/// The program of a run that was started earlier: from its snapshot alone (promise Q7).
Result<flow::Program> load_from_snapshot(const store::Snapshot& snapshot);

/// forge.{type,host,owner,repo,cli_tool,prefix,pr_term,pr_command} of a remote's URL;
/// `override_type` is the manifest's metadata.forge.
json::object forge_facts(const std::string& remote_url, const std::string& override_type);

}  // namespace wave::engine
