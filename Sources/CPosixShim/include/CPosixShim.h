#pragma once
#include <stddef.h>
#include <stdint.h>

// What Swift's Glibc module does not offer, or offers only as a C macro or a variadic function.

// Takes the advisory lock of an open file for this process without waiting (flock). 0, or an errno value.
int hearth_lock_file(int descriptor);

// The number that tells the kind of the file system a path lies on (f_type of statfs). 0, or an errno value.
int hearth_file_system_magic(const char *path, uint32_t *magic);

// Copies out of a mapping. A page that cannot be read (the file was shortened, the disk failed) raises SIGBUS, which is
// caught: the answer is then 1 instead of 0, and the target holds an unknown part of the bytes.
int hearth_copy_mapped(void *target, const void *source, size_t count);

// Installs the handler that hearth_copy_mapped needs. Safe to call often.
void hearth_install_mapping_guard(void);

// The system's words for an errno value, cut to the room and ended by 0; `room` is at least 1.
void hearth_error_text(int code, char *text, size_t room);

// Sets how the C library's allocator treats memory that is free again (mallopt): buffers of `mapped_bytes` and more are
// mapped by themselves, as much as `kept_bytes` is kept at the end of an arena, and there are at most `arenas`.
void hearth_set_allocator(int mapped_bytes, int kept_bytes, int arenas);

// Readiness of sockets (epoll), as long as it lasts: a socket with bytes to read is named by every wait.
#define HEARTH_POLL_READABLE 1
#define HEARTH_POLL_WRITABLE 2

struct hearth_poll_event {
    // Given with the socket.
    uint64_t token;
    // HEARTH_POLL_*; a broken connection is both.
    int32_t readiness;
};

// A descriptor for the calls below, which is closed with close; or an errno value, negated.
int hearth_poll_open(void);

// Begin to watch a socket, or change for what. 0, or an errno value.
int hearth_poll_add(int poll, int socket, uint64_t token, int readiness);
int hearth_poll_change(int poll, int socket, uint64_t token, int readiness);

// Waits for at most so many milliseconds, for ever with -1. The number of events written, 0 when a signal came between,
// or an errno value, negated.
int hearth_poll_wait(int poll, struct hearth_poll_event *events, int room, int milliseconds);

// A descriptor that becomes readable by a write of eight bytes, and calm by a read of them; or an errno value, negated.
int hearth_wake_open(void);
