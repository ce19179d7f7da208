/* A disk that takes its time: fsync and fdatasync return WAVE_SHIM_SYNC_MS milliseconds after they are
 * done, as on hard disks and network volumes. Preloaded (LD_PRELOAD); children inherit it. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int delayed(long result) {
  const char* text = getenv("WAVE_SHIM_SYNC_MS");
  const long ms = text == NULL ? 0 : strtol(text, NULL, 10);
  struct timespec left = {ms / 1000, (ms % 1000) * 1000000};
  while (nanosleep(&left, &left) != 0) {
  }
  return (int)result;
}

int fsync(int fd) {
  return delayed(syscall(SYS_fsync, fd));
}
int fdatasync(int fd) {
  return delayed(syscall(SYS_fdatasync, fd));
}
