#include "contract/ecma_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <re2/re2.h>

#include <array>

#include "base/text.h"

namespace wave::contract {
namespace {

constexpr size_t kMaxPatternBytes = 64 << 10;
// One search may take some ten milliseconds at worst, and a MiB.
constexpr uint32_t kMatchLimit = 200'000;
constexpr uint32_t kDepthLimit = 2'000;
constexpr uint32_t kHeapLimitKib = 4 << 10;

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

Result<bool> search_pcre(const pcre2_code* code, std::string_view text) {
  const std::unique_ptr<pcre2_match_data, FreeMatchData> data(
      pcre2_match_data_create_from_pattern(code, nullptr));
  const std::unique_ptr<pcre2_match_context, FreeMatchContext> context(
      pcre2_match_context_create(nullptr));
  if (data == nullptr || context == nullptr) return fail(Code::kLimit, "out of memory");
  pcre2_set_match_limit(context.get(), kMatchLimit);
  pcre2_set_depth_limit(context.get(), kDepthLimit);
  pcre2_set_heap_limit(context.get(), kHeapLimitKib);
  const int found = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0,
                                data.get(), context.get());
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

Result<bool> EcmaRegex::search(std::string_view text) const {
  if (impl_->re2 != nullptr) {
    return impl_->re2->Match(text, 0, text.size(), RE2::UNANCHORED, nullptr, 0);
  }
  return search_pcre(impl_->pcre.get(), text);
}

}  // namespace wave::contract
