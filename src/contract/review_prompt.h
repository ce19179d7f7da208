// The words a reviewer is asked with. What is under review is data: it stands between marks that
// its author could not know.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "contract/contract.h"

namespace wave::contract {

/// A piece of what the reviewer looks at.
struct ReviewMaterial {
  std::string title;  // "the artifact \"plan.md\""
  std::string text;
  bool cut = false;  // there is more than that
};

struct ReviewPrompt {
  std::string text;
  std::string token;  // in the marks; the reviewer repeats it in its verdict
};

/// The token depends on everything in the prompt, so that nothing in the prompt can contain it.
ReviewPrompt make_review_prompt(const Context& context,
                                const std::vector<ReviewMaterial>& material);

}  // namespace wave::contract
