// non_empty_file: the artifact is there and has content. A file of blanks has some.
#include "base/file.h"
#include "base/system_fault.h"
#include "contract/contract_types.h"

namespace wave::contract {

namespace {

Verdict verdict_on_file(const Context& context) {
  SourceState source = look_at_source(context);
  if (!source.usable) return std::move(source.verdict);
  std::error_code error;
  const uintmax_t size = fs::file_size(context.source, error);
  if (error) {
    note_shortage(errno_error(error.value(), "cannot look at", context.source.native()));
    return unevaluable(fmt::format("the size of \"{}\" cannot be read: {}", source_name(context),
                                   error.message()));
  }
  if (size == 0) return reject(fmt::format("the file \"{}\" is empty", source_name(context)));
  return pass(fmt::format("\"{}\" has {} bytes", source_name(context), size));
}

}  // namespace

Assessment evaluate_non_empty_file(const Context& context) {
  return {verdict_on_file(context), {}};
}

}  // namespace wave::contract
