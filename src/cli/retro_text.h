// Retrospectives as a terminal shows them.
#pragma once

#include <string>
#include <vector>

#include "server/retro/retro_list.h"

namespace wave::cli {

std::string retro_text(const flow::Retro& retro, const server::retro::Comparison& comparison,
                       bool colors);
/// A heading and a line per run.
std::string retros_table(const server::retro::Retros& retros, bool colors);
std::string stats_text(const std::vector<server::retro::PipelineStats>& stats, bool colors);

}  // namespace wave::cli
