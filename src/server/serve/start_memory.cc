#include "server/serve/start_memory.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace wave::server {
namespace {

// Code and constants are clean copies of the file, so that dropping them loses nothing
// (madvise(2)). Writable segments hold relocated pointers, also where they are read-only by now:
// not those.
void drop_unwritten(const dl_phdr_info& program) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < program.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = program.dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const uintptr_t begin = (program.dlpi_addr + segment.p_vaddr + page - 1) & ~(page - 1);
    const uintptr_t end = (program.dlpi_addr + segment.p_vaddr + segment.p_filesz) & ~(page - 1);
    if (end <= begin) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader speaks in numbers
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
}

/// The first object is the program itself; 1 ends the walk (dl_iterate_phdr(3)).
int drop_first(dl_phdr_info* program, size_t /*size*/, void* /*unused*/) {
  drop_unwritten(*program);
  return 1;
}

}  // namespace

void give_back_start_memory() {
  ::malloc_trim(0);
  ::dl_iterate_phdr(&drop_first, nullptr);
}

}  // namespace wave::server
