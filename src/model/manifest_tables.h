// The tables of wave.yaml's keys (wave-model.md section 1).
#pragma once

#include "model/key_table.h"
#include "model/manifest.h"

namespace wave::model {

/// A hook as written: what its defaults depend on is known only when all keys are read.
struct HookDraft {
  Hook hook;
  std::string script;
  std::optional<bool> blocking, fail_open;
  std::optional<Millis> timeout;
  SourcePos pos;
};

/// The manifest as written.
struct ManifestDraft {
  Manifest manifest;
  std::vector<HookDraft> hooks;
};

const KeyTable<ManifestDraft>& manifest_keys();
const KeyTable<HookDraft>& hook_keys();
const KeyTable<Permissions>& permission_keys();
/// A persona in the manifest.
const KeyTable<Persona>& persona_keys();
/// A persona's own file, .agents/personas/<name>.yaml.
const KeyTable<Persona>& persona_file_keys();

/// The hooks with their defaults (wave-model.md 1.9); what does not fit together is reported.
std::vector<Hook> finish_hooks(std::vector<HookDraft> drafts, Binder& binder);

}  // namespace wave::model
