// What whoever started this program may have left it with, put right before anything else happens.
#pragma once

namespace wave::process {

/// First thing in main, while there is one thread.
///
/// Standard input, output and error that are closed are opened on /dev/null: else the next file or
/// socket would get the number, and what is written to standard output would go there. Signals that
/// were blocked are unblocked, and those that were ignored do again what they usually do, so that a
/// stop request arrives and the end of a child is heard of. Left ignored are the three that shells
/// ignore on purpose (SIGHUP under nohup, SIGINT and SIGQUIT in the background of a script);
/// commands that handle those handle them all the same.
void clean_start();

}  // namespace wave::process
