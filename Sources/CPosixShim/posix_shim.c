#define _GNU_SOURCE
#include "CPosixShim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/vfs.h>

int hearth_lock_file(int descriptor) {
    while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

void hearth_error_text(int code, char *text, size_t room) {
    char buffer[256];
    // The GNU variant answers a pointer that may or may not be the buffer.
    snprintf(text, room, "%s", strerror_r(code, buffer, sizeof buffer));
}

int hearth_file_system_magic(const char *path, uint32_t *magic) {
    struct statfs information;
    while (statfs(path, &information) != 0) {
        if (errno != EINTR) return errno;
    }
    *magic = (uint32_t)information.f_type;
    return 0;
}
