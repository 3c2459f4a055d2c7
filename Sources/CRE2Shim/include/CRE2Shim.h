#ifndef CRE2SHIM_H
#define CRE2SHIM_H
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif

/// A compiled expression: RE2 syntax, UTF-8, dot matches newline, anchored by the match functions.
typedef struct hearth_re2 hearth_re2;

/// NULL on error, with a message that `hearth_re2_free_message` frees.
hearth_re2 *hearth_re2_compile(const char *pattern, size_t length, char **message);
void hearth_re2_free(hearth_re2 *expression);
void hearth_re2_free_message(char *message);

/// 1 if the whole text matches.
int hearth_re2_match(const hearth_re2 *expression, const char *text, size_t length);
int hearth_re2_group_count(const hearth_re2 *expression);
/// -1 if there is no group of that name.
int hearth_re2_group_index(const hearth_re2 *expression, const char *name);
/// Byte offsets of the whole match and of each group, -1 where a group took no part. 1 if the whole text matches.
int hearth_re2_groups(
    const hearth_re2 *expression, const char *text, size_t length, ptrdiff_t *starts, ptrdiff_t *ends, int count);
/// The same for the leftmost match anywhere at or after byte `from`; what lies before it still counts as context.
int hearth_re2_find(
    const hearth_re2 *expression, const char *text, size_t length, size_t from, ptrdiff_t *starts, ptrdiff_t *ends,
    int count);

#ifdef __cplusplus
}
#endif
#endif
