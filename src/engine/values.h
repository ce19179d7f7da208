// What template expressions stand for, taken from a run's state at one moment. A value, usable on
// any thread; contents of artifacts are read from the blob store when they are asked for.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/run_context.h"
#include "model/template.h"

namespace wave::engine {

class Values {
 public:
  /// As `step` sees them; empty for the run itself. Call on the loop thread.
  Values(const RunContext& run, std::string step);

  /// Where an injected artifact lies for this step: "<step>.<name>" and "<name>" -> path.
  void set_artifact_path(const std::string& name, std::string path) {
    paths_[name] = std::move(path);
  }

  /// kTemplate with the placeholder's position when there is no such value.
  [[nodiscard]] Result<std::string> get(const model::Expression& expression) const;
  [[nodiscard]] Result<std::string> render(const model::Template& text) const;
  /// What the run was started with.
  [[nodiscard]] const std::string& input() const { return input_; }
  /// Copies of what was known when this was made.
  [[nodiscard]] const std::vector<flow::Artifact>& artifacts() const { return artifacts_; }

 private:
  [[nodiscard]] Result<std::string> artifact_path(const model::Expression& expression) const;
  [[nodiscard]] Result<std::string> step_output(const model::Expression& expression) const;
  [[nodiscard]] Result<std::string> gate_value(const model::Expression& expression) const;
  [[nodiscard]] const flow::Artifact* find_artifact(const std::string& step,
                                                    const std::string& name) const;

  store::Store& store_;
  const model::Manifest& manifest_;
  std::string run_id_, pipeline_, step_, input_, branch_, project_;
  json::object forge_;
  std::vector<flow::Artifact> artifacts_;
  std::map<std::string, flow::GateState> gates_;
  std::map<std::string, std::string> paths_;
};

}  // namespace wave::engine
