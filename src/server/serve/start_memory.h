// Memory that only starting needed.
#pragma once

namespace wave::server {

/// Gives back to the system what lies free in the heap, and the pages of the program itself that
/// were read so far: what goes on being used comes back from the page cache. Costs microseconds.
/// Thread: any, while others run. A debugger's breakpoints go with the pages.
void give_back_start_memory();

}  // namespace wave::server
