// The scripted agent itself: `wave __play <file>`. It plays what the scripted adapter wrote into
// the file and prints its protocol, one JSON object a line:
//   {"type":"start","session_id","model"}
//   {"type":"text"|"thinking","text"}
//   {"type":"tool_use","name","target","input"}, {"type":"tool_result","name","content","is_error"}
//   {"type":"denied","name","message"}
//   {"type":"usage","in","out","cache_read","cache_write","cost"}      what is to be added
//   {"type":"result","success","text"} or, on failure, {... "class","message","retry_after_ms"}
#pragma once

namespace wave::agent {

/// main for `wave __play <file>`: starts no thread and needs none of wave's state. Returns the exit
/// code: 0 after a success, 1 after a failure, 2 when the file cannot be played, else what the
/// script says.
int play_main(int argc, char** argv);

}  // namespace wave::agent
