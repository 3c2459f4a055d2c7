#include "CPosixShim.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

// How many events one call takes from the kernel at most.
#define ROOM 256

int hearth_poll_open(void) {
    int poll = epoll_create1(EPOLL_CLOEXEC);
    return poll < 0 ? -errno : poll;
}

int hearth_wake_open(void) {
    int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return wake < 0 ? -errno : wake;
}

static int control(int poll, int operation, int socket, uint64_t token, int readiness) {
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    if (readiness & HEARTH_POLL_READABLE) event.events |= EPOLLIN;
    if (readiness & HEARTH_POLL_WRITABLE) event.events |= EPOLLOUT;
    event.data.u64 = token;
    return epoll_ctl(poll, operation, socket, &event) != 0 ? errno : 0;
}

int hearth_poll_add(int poll, int socket, uint64_t token, int readiness) {
    return control(poll, EPOLL_CTL_ADD, socket, token, readiness);
}

int hearth_poll_change(int poll, int socket, uint64_t token, int readiness) {
    return control(poll, EPOLL_CTL_MOD, socket, token, readiness);
}

int hearth_poll_wait(int poll, struct hearth_poll_event *events, int room, int milliseconds) {
    struct epoll_event ready[ROOM];
    int count = epoll_wait(poll, ready, room < ROOM ? room : ROOM, milliseconds);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        int readiness = 0;
        if (ready[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) readiness |= HEARTH_POLL_READABLE;
        if (ready[i].events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) readiness |= HEARTH_POLL_WRITABLE;
        events[i].token = ready[i].data.u64;
        events[i].readiness = readiness;
    }
    return count;
}
