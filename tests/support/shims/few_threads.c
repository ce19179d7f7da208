/* A machine where few threads can be had: the WAVE_SHIM_THREADS-th call of pthread_create and all after it
 * fail, as they do at a limit on processes. Preloaded (LD_PRELOAD); each process counts for itself. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_int started;

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                   void* argument) {
  int (*real)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*) =
      (int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*))dlsym(RTLD_NEXT,
                                                                                 "pthread_create");
  const char* text = getenv("WAVE_SHIM_THREADS");
  if (text != NULL && atomic_fetch_add(&started, 1) + 1 >= atoi(text)) return EAGAIN;
  return real(thread, attributes, run, argument);
}
