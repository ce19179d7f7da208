/* A file system where removing takes its time: each unlink and unlinkat waits WAVE_SHIM_UNLINK_MS milliseconds
 * first. Preloaded (LD_PRELOAD); children inherit it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void wait_a_while(void) {
  const char* text = getenv("WAVE_SHIM_UNLINK_MS");
  const long ms = text == NULL ? 0 : strtol(text, NULL, 10);
  struct timespec left = {ms / 1000, (ms % 1000) * 1000000};
  while (nanosleep(&left, &left) != 0) {
  }
}

int unlinkat(int folder, const char* path, int flags) {
  wait_a_while();
  return (int)syscall(SYS_unlinkat, folder, path, flags);
}
int unlink(const char* path) {
  wait_a_while();
  return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
