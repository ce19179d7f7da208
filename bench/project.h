// Projects to measure with.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace wave::bench {

/// A git repository with one commit and a manifest with the scripted adapter.
std::filesystem::path make_project(const std::filesystem::path& folder);
/// Writes `.agents/pipelines/<name>.yaml` with these steps.
void write_pipeline(const std::filesystem::path& project, const std::string& name,
                    const std::string& steps);
std::map<std::string, std::string> environment(const std::filesystem::path& project);

}  // namespace wave::bench
