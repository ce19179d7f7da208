// The language of the scripted adapter: what a fake agent does, as YAML (or JSON, which is YAML).
//
//   actions:                 # or the list alone; or `attempts:`, a list of such lists: the n-th
//   attempt
//     - say: Hello           # plays the n-th, later ones the last
//     - write: {path: out.json, content: '{"a": 1}'}
//
// Actions, each a map with one key:
//   say, think: <text>                     the agent speaks, or thinks
//   stderr: <text>                         a line on stderr
//   tool: {name, target, input, result, error}   a use of a tool, in words only
//   read: <path>                           uses Read
//   write, append: {path, content}         uses Write, Edit
//   mkdir: <path>                          uses Write
//   run: <shell command>                   uses Bash; a failing command does not end the script
//   spawn: <shell command>, or {command, setsid}  uses Bash; leaves the process running behind
//   usage: {in, out, cache_read, cache_write, cost}   adds to what was used
//   sleep: <duration>
//   wait_for: {path, timeout}, or <path>   until the file exists; fails after the timeout (30s)
//   flood: {lines, length, stream, json}, or {bytes, stream}   prints a lot
//   repeat: {times, actions}
//   ignore_term: true                      SIGTERM does nothing from here on
// and these end it:
//   result: <text>                         success, with this as the last words
//   fail: {class, message, retry_after}    failure; class: transient, rate_limit,
//   context_exhausted,
//                                          budget_exhausted, test_failure, deterministic, auth
//   rate_limit: <duration>                 the same as fail with that class
//   exit: <code>                           without a result
//   crash: <signal number>                 likewise
//   hang: true                             until somebody ends it
// A script that comes to its end ends with success and what was said last.
//
// Durations are milliseconds, or texts such as 1.5s. In texts and paths, ${NAME} is a variable of
// the environment, ${PROMPT} the prompt, $$ a dollar sign.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace wave::agent {

/// The actions of one attempt (from 1). kInvalidPipeline, with a position within the script, for
/// what is no script.
Result<json::array> parse_script(std::string_view text, int attempt);

/// The script in a prompt: the last fenced block that is marked `wave-script`; empty if there is
/// none.
std::string script_in_prompt(std::string_view prompt);

/// A number of milliseconds, or a duration's text.
Result<Millis> script_duration(const json::value& value);

}  // namespace wave::agent
