#include "contract/ecma_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <re2/re2.h>

#include <array>

#include "base/re2_text.h"
#include "base/text.h"

namespace wave::contract {
namespace {

constexpr size_t kMaxPatternBytes = 64 << 10;

/// How far a search may backtrack, and what that costs. Most end within the first bounds; those
/// that do not are charged for what they may take, so that a budget of steps bounds the time as
/// well.
struct Effort {
  uint32_t matches;
  uint64_t steps;
};
constexpr Effort kUsualEffort{1'000, 100};
constexpr Effort kGreatestEffort{200'000, 20'000};
constexpr uint32_t kDepthLimit = 100'000;
constexpr uint32_t kHeapLimitKib = 16 << 10;
constexpr size_t kBytesPerStep = 64;

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeMatchContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
using Pcre = std::unique_ptr<pcre2_code, FreeCode>;

std::string pcre_message(int error) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

Error not_a_pattern(std::string_view pattern, std::string_view why) {
  return {Code::kUsage, fmt::format("the pattern \"{}\" is not a regular expression: {}",
                                    excerpt(pattern, 80), why)};
}

std::unique_ptr<RE2> compile_re2(const std::string& pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  auto re2 = std::make_unique<RE2>(pattern, options);
  if (!re2->ok()) return nullptr;
  return re2;
}

Result<Pcre> compile_pcre(std::string_view pattern, const std::string& translated) {
  int error = 0;
  PCRE2_SIZE at = 0;
  Pcre code(pcre2_compile(
      reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
      PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C,
      &error, &at, nullptr));
  if (code == nullptr) return fail(not_a_pattern(pattern, pcre_message(error)));
  return code;
}

/// PCRE2's own answer: not negative when it was found.
int search_pcre(const pcre2_code* code, std::string_view text, uint32_t matches) {
  const std::unique_ptr<pcre2_match_data, FreeMatchData> data(
      pcre2_match_data_create_from_pattern(code, nullptr));
  const std::unique_ptr<pcre2_match_context, FreeMatchContext> context(
      pcre2_match_context_create(nullptr));
  if (data == nullptr || context == nullptr) return PCRE2_ERROR_NOMEMORY;
  pcre2_set_match_limit(context.get(), matches);
  pcre2_set_depth_limit(context.get(), kDepthLimit);
  pcre2_set_heap_limit(context.get(), kHeapLimitKib);
  return pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0, data.get(),
                     context.get());
}

Result<bool> search_backtracking(const pcre2_code* code, std::string_view text, uint64_t& steps) {
  int found = PCRE2_ERROR_NOMATCH;
  for (const Effort& effort : {kUsualEffort, kGreatestEffort}) {
    steps += effort.steps;
    found = search_pcre(code, text, effort.matches);
    if (found != PCRE2_ERROR_MATCHLIMIT) break;
  }
  if (found >= 0) return true;
  if (found == PCRE2_ERROR_NOMATCH) return false;
  return fail(Code::kLimit, fmt::format("a pattern could not be matched: {}", pcre_message(found)));
}

}  // namespace

// Exactly one of the two is set.
struct EcmaRegex::Impl {
  std::unique_ptr<RE2> re2;
  Pcre pcre;
};

EcmaRegex::EcmaRegex(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
EcmaRegex::EcmaRegex(EcmaRegex&&) noexcept = default;
EcmaRegex& EcmaRegex::operator=(EcmaRegex&&) noexcept = default;
EcmaRegex::~EcmaRegex() = default;

Result<EcmaRegex> EcmaRegex::compile(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes) {
    return fail(not_a_pattern(pattern, "it is longer than 64 KiB"));
  }
  WAVE_TRY(const TranslatedPattern translated, translate_pattern(pattern));
  auto impl = std::make_unique<Impl>();
  if (!translated.needs_backtracking) impl->re2 = compile_re2(translated.text);
  // PCRE2 also takes what RE2 finds too large, such as x{1001}.
  if (impl->re2 == nullptr) {
    WAVE_TRY(impl->pcre, compile_pcre(pattern, translated.text));
  }
  return EcmaRegex(std::move(impl));
}

Result<bool> EcmaRegex::search(std::string_view text, uint64_t& steps) const {
  steps += 1 + text.size() / kBytesPerStep;
  if (impl_->re2 != nullptr) {
    return impl_->re2->Match(re2_text(text), 0, text.size(), RE2::UNANCHORED, nullptr, 0);
  }
  return search_backtracking(impl_->pcre.get(), text, steps);
}

}  // namespace wave::contract
