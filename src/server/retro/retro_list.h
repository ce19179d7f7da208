// Retrospectives of many runs: which ones, in short, and what they say together.
#pragma once

#include <optional>
#include <string>

#include "server/retro/retro_reader.h"
#include "server/retro/retro_stats.h"

namespace wave::server::retro {

struct RetroFilter {
  std::string pipeline, step;
  std::optional<WallTime> since, until;  // of the acceptance
  std::string after;                     // cursor: the last run of the page before
  size_t limit = 50;                     // at most kMostListed
};
inline constexpr size_t kMostListed = 500;

struct RetroList {
  Retros retros;  // newest first
  bool has_more = false;
};

/// Runs that have ended. With `step`, those in which that step began.
Result<RetroList> list_retros(store::Store& store, RetroReader& reader, const RetroFilter& filter);

/// The line of a list: what happened, without the details.
json::object summary_json(const flow::Retro& retro);
/// retros, next_cursor, has_more and stats.
json::object to_json(const RetroList& list, const std::string& step);

}  // namespace wave::server::retro
