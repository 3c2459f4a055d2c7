#include "CPosixShim.h"
#include <features.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

void hearth_set_allocator(int mapped_bytes, int kept_bytes, int arenas) {
#if defined(__GLIBC__)
    mallopt(M_MMAP_THRESHOLD, mapped_bytes);
    mallopt(M_TRIM_THRESHOLD, kept_bytes);
    mallopt(M_ARENA_MAX, arenas);
#endif
}
