// A machine on which /proc is empty. With SHIM_NO_LOCKS set, files named .locks.* cannot be opened
// either, as where a file system has no locks.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int is_hidden(const char* path) {
  if (strncmp(path, "/proc/", 6) == 0) return 1;
  return getenv("SHIM_NO_LOCKS") != NULL && strstr(path, "/.locks.") != NULL;
}

#define OPEN_LIKE(name)                                             \
  int name(const char* path, int flags, ...) {                      \
    static int (*real)(const char*, int, ...);                      \
    if (is_hidden(path)) return errno = ENOENT, -1;                 \
    if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, #name);     \
    va_list more;                                                   \
    va_start(more, flags);                                          \
    const mode_t mode = (mode_t)va_arg(more, unsigned);             \
    va_end(more);                                                   \
    return real(path, flags, mode);                                 \
  }
OPEN_LIKE(open)
OPEN_LIKE(open64)

DIR* opendir(const char* path) {
  static DIR* (*real)(const char*);
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "opendir");
  // Empty, not absent.
  return real(strncmp(path, "/proc", 5) == 0 ? "/var/empty" : path);
}

ssize_t readlink(const char* path, char* buffer, size_t size) {
  static ssize_t (*real)(const char*, char*, size_t);
  if (is_hidden(path)) return errno = ENOENT, -1;
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "readlink");
  return real(path, buffer, size);
}
