// What an agent may do (wave-model.md 4.1, 4.2; where upstream's union of lists is a defect, the
// documentation's meaning holds): the persona's list, else the adapter's; a step narrows; denies
// add up and win.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/manifest.h"

namespace wave::model {

struct EffectivePermissions {
  std::vector<std::string> allowed;  // empty: nothing is restricted by name
  std::vector<std::string> denied;

  friend bool operator==(const EffectivePermissions&, const EffectivePermissions&) = default;
};

EffectivePermissions effective_permissions(const AdapterConfig& adapter, const Persona& persona,
                                           const Permissions& step);

/// Whether `pattern` (`Tool`, `Tool(glob)`, `*`) covers tool `tool` used with `argument`.
bool permission_matches(std::string_view pattern, std::string_view tool, std::string_view argument);
/// Whether everything `inner` covers is covered by `outer` too.
bool permission_covers(std::string_view outer, std::string_view inner);

}  // namespace wave::model
