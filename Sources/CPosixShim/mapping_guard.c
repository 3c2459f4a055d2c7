#define _GNU_SOURCE
#include "CPosixShim.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

// The copy that this thread is doing, or NULL. The handler leaves by it; a SIGBUS outside of a copy keeps its old meaning.
static __thread sigjmp_buf *volatile current_copy;
static struct sigaction previous_action;
static pthread_once_t installed = PTHREAD_ONCE_INIT;

static void on_bus_error(int signal, siginfo_t *info, void *context) {
    (void)info;
    (void)context;
    if (current_copy != NULL) siglongjmp(*current_copy, 1);
    // Not ours: put the old action back; the instruction runs again and meets it.
    sigaction(signal, &previous_action, NULL);
}

static void install(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &previous_action);
}

void hearth_install_mapping_guard(void) { pthread_once(&installed, install); }

int hearth_copy_mapped(void *target, const void *source, size_t count) {
    sigjmp_buf place;
    // The signal mask is not saved (SA_NODEFER keeps SIGBUS open), so this costs no system call.
    if (sigsetjmp(place, 0) != 0) {
        current_copy = NULL;
        return 1;
    }
    current_copy = &place;
    memcpy(target, source, count);
    current_copy = NULL;
    return 0;
}
