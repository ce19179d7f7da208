// What `wave init` writes: a small project that validates and is useful at once.
#pragma once

#include <string>
#include <vector>

#include "cli/project_detect.h"

namespace wave::cli {

struct InitFacts {
  std::string name;  // of the project: its folder's
  const Flavour* flavour = nullptr;
  std::string adapter;  // claude or scripted
};

struct InitFile {
  std::string path;  // relative to the project root
  std::string text;
};

std::vector<InitFile> init_files(const InitFacts& facts);

}  // namespace wave::cli
