// process: starting, supervising, attaching to and ending processes that outlive the one who
// started them. A hosted process has an agent-host of its own as parent: subreaper, keeper of its
// deadline and of its exit status; its output goes to spool files. Whoever owns the run may die and
// come back, and reads on.
#pragma once
