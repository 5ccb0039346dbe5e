/* Makes every sync of the processes that preload it take longer, as an SD card does: the sync itself is still done. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#ifndef DELAY_NS
#error "DELAY_NS: nanoseconds that each sync takes longer"
#endif

static void delay(void) {
  struct timespec left = {DELAY_NS / 1000000000L, DELAY_NS % 1000000000L};
  while (nanosleep(&left, &left) != 0) {
  }
}

int fsync(int file) {
  delay();
  return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(file);
}

int fdatasync(int file) {
  delay();
  return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(file);
}

int msync(void *start, size_t length, int flags) {
  delay();
  return ((int (*)(void *, size_t, int))dlsym(RTLD_NEXT, "msync"))(start, length, flags);
}
