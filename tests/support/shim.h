// Machines that are short of something: C files of support/shims, preloaded into wave and its
// children.
#pragma once

#include <map>
#include <string>

namespace wave::test {

/// The environment that preloads support/shims/<name>.c, together with the variables that the shim
/// reads.
inline std::map<std::string, std::string> with_shim(
    const std::string& name, std::map<std::string, std::string> variables = {}) {
  variables["LD_PRELOAD"] = std::string(WAVE_SHIMS) + "/libshim_" + name + ".so";
  return variables;
}

}  // namespace wave::test
