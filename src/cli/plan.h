// What `wave run --dry-run` prints.
#pragma once

#include <string>

#include "flow/plan.h"

namespace wave::cli {

std::string plan_text(const flow::Plan& plan);

}  // namespace wave::cli
