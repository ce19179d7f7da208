// The one fake agent, for tests, the demo and load: it plays a script (script.h) instead of asking
// a model. Everything around it is real: the process, its files, its output, its permissions.
//
// The script is the block ```wave-script in the prompt, else AgentRequest::script.
#pragma once

#include "agent/adapter.h"
#include "agent/exit_failure.h"
#include "agent/json_lines.h"
#include "agent/plain_output.h"

namespace wave::agent {

class ScriptedAdapter final : public Adapter {
 public:
  [[nodiscard]] const AdapterInfo& info() const override;
  [[nodiscard]] Status check(const model::EffectivePermissions& permissions) const override;
  [[nodiscard]] Result<LaunchPlan> plan(const AgentRequest& request) const override;
  [[nodiscard]] std::unique_ptr<OutputParser> parser() const override;
};

class ScriptedParser final : public OutputParser {
 public:
  void feed_out(std::string_view bytes, std::vector<Activity>& activity) override;
  void feed_err(std::string_view bytes, std::vector<Activity>& activity) override;
  AgentResult finish(const process::HostExit& exit, std::vector<Activity>& activity) override;
  [[nodiscard]] std::string save() const override;
  Status restore(std::string_view state) override;

 private:
  void take_line(const JsonLine& line, std::vector<Activity>& activity);
  void take_object(const json::object& object, Activity said, std::vector<Activity>& activity);

  JsonLineReader lines_;
  PlainOutput errors_{"err", false};
  Tail stderr_{4 << 10};
  flow::Usage usage_;
  std::string session_id_, model_, last_text_;
  int turns_ = 0;
  json::object result_;  // of the result line, bounded
};

}  // namespace wave::agent
