/* A disk that a test makes full, read-only or failing while it is in use. WAVE_SHIM_DISK names a file with
 * words that may change at any time; none of them, or no file: the disk is well.
 *   free_mib=N inodes=N statvfs_readonly   what statvfs says
 *   full readonly                  creating and writing fail (ENOSPC, EROFS)
 *   sync_eio=P read_eio=P          so many of a hundred syncs, or reads, fail (EIO)
 *   open_eio=P                     the same of opening what is there
 * WAVE_SHIM_DISK_UNDER: what lies on that disk has this in its path. Preloaded (LD_PRELOAD); children inherit it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <dlfcn.h>

static int words(char *into, size_t size) {
  const char *file = getenv("WAVE_SHIM_DISK");
  const int fd = file == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const long got = syscall(SYS_read, fd, into, size - 1);
  syscall(SYS_close, fd);
  into[got > 0 ? got : 0] = '\0';
  return got > 0;
}

/* The number behind "word=", 0 for the word alone, -1 when it does not stand there. */
static long told(const char *word) {
  char text[256];
  if (!words(text, sizeof text)) return -1;
  for (char *one = strtok(text, " \n"); one != NULL; one = strtok(NULL, " \n")) {
    const size_t length = strlen(word);
    if (strncmp(one, word, length) != 0) continue;
    if (one[length] == '=') return strtol(one + length + 1, NULL, 10);
    if (one[length] == '\0') return 0;
  }
  return -1;
}

static int is_under(const char *path) {
  const char *folder = getenv("WAVE_SHIM_DISK_UNDER");
  return folder != NULL && strstr(path, folder) != NULL;
}

static int fd_is_under(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = '\0';
  return is_under(path);
}

/* What writing meets: an errno, or 0. */
static int refusal(void) {
  if (told("readonly") >= 0) return EROFS;
  return told("full") >= 0 ? ENOSPC : 0;
}

/* One generator a process: which calls fail does not matter, how many do. */
static int happens(long percent) {
  static unsigned state = 1;
  state = state * 1664525u + 1013904223u;
  return percent > 0 && (long)((state >> 8) % 100) < percent;
}

static int fails(int error) {
  if (error == 0) return 0;
  errno = error;
  return 1;
}

int statvfs(const char *path, struct statvfs *info) {
  static int (*real)(const char *, struct statvfs *);
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "statvfs");
  const int result = real(path, info);
  if (result != 0 || !is_under(path)) return result;
  const long mib = told("free_mib"), inodes = told("inodes");
  if (mib >= 0) info->f_bavail = info->f_bfree = (fsblkcnt_t)mib * 1048576 / info->f_frsize;
  if (inodes >= 0) {
    info->f_favail = info->f_ffree = (fsfilcnt_t)inodes;
    if (info->f_files == 0) info->f_files = 1000000;
  }
  if (told("statvfs_readonly") >= 0) info->f_flag |= ST_RDONLY;
  return result;
}

static int open_at(int folder, const char *path, int flags, mode_t mode) {
  const int creates = (flags & O_CREAT) != 0 && faccessat(folder, path, F_OK, 0) != 0;
  if (creates && is_under(path) && fails(refusal())) return -1;
  const int looks = (flags & O_CREAT) == 0 && is_under(path);
  if (looks && fails(happens(told("open_eio")) ? EIO : 0)) return -1;
  return (int)syscall(SYS_openat, folder, path, flags, mode);
}

#define MODE_OF(flags, mode)              \
  mode_t mode = 0;                        \
  if ((flags) & (O_CREAT | O_TMPFILE)) {  \
    va_list list;                         \
    va_start(list, flags);                \
    mode = (mode_t)va_arg(list, int);     \
    va_end(list);                         \
  }

int open(const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_at(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_at(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_at(folder, path, flags, mode);
}
int mkdir(const char *path, mode_t mode) {
  struct stat info;
  if (is_under(path) && stat(path, &info) != 0 && fails(refusal())) return -1;
  return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}
int mkostemp(char *name, int flags) {
  static int (*real)(char *, int);
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "mkostemp");
  if (is_under(name) && fails(refusal())) return -1;
  return real(name, flags);
}

ssize_t write(int fd, const void *bytes, size_t count) {
  if (fd > 2 && fd_is_under(fd) && fails(refusal())) return -1;
  return syscall(SYS_write, fd, bytes, count);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  if (fd_is_under(fd) && fails(refusal())) return -1;
  return syscall(SYS_pwrite64, fd, bytes, count, offset);
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
  return pwrite64(fd, bytes, count, offset);
}
ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t count,
                        unsigned flags) {
  if (fd_is_under(out) && fails(refusal())) return -1;
  return syscall(SYS_copy_file_range, in, in_at, out, out_at, count, flags);
}

ssize_t pread64(int fd, void *bytes, size_t count, off64_t offset) {
  if (fd_is_under(fd) && fails(happens(told("read_eio")) ? EIO : 0)) return -1;
  return syscall(SYS_pread64, fd, bytes, count, offset);
}
ssize_t pread(int fd, void *bytes, size_t count, off_t offset) {
  return pread64(fd, bytes, count, offset);
}
int fsync(int fd) {
  if (fd_is_under(fd) && fails(happens(told("sync_eio")) ? EIO : 0)) return -1;
  return (int)syscall(SYS_fsync, fd);
}
int fdatasync(int fd) {
  if (fd_is_under(fd) && fails(happens(told("sync_eio")) ? EIO : 0)) return -1;
  return (int)syscall(SYS_fdatasync, fd);
}
