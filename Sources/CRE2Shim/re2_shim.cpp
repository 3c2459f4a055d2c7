#include "CRE2Shim.h"

#include <re2/re2.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <vector>

struct hearth_re2 {
    RE2 expression;
    hearth_re2(const re2::StringPiece &pattern, const RE2::Options &options) : expression(pattern, options) {}
};

extern "C" {
hearth_re2 *hearth_re2_compile(const char *pattern, size_t length, char **message) {
    RE2::Options options;
    options.set_dot_nl(true);
    options.set_log_errors(false);
    options.set_max_mem(16 << 20);
    auto *compiled = new (std::nothrow) hearth_re2(re2::StringPiece(pattern, length), options);
    if (compiled == nullptr) return nullptr;
    if (compiled->expression.ok()) return compiled;
    *message = strdup(compiled->expression.error().c_str());
    delete compiled;
    return nullptr;
}
void hearth_re2_free(hearth_re2 *expression) { delete expression; }
void hearth_re2_free_message(char *message) { free(message); }

int hearth_re2_match(const hearth_re2 *expression, const char *text, size_t length) {
    return expression->expression.Match(
        re2::StringPiece(text, length), 0, length, RE2::ANCHOR_BOTH, nullptr, 0);
}
int hearth_re2_group_count(const hearth_re2 *expression) {
    return expression->expression.NumberOfCapturingGroups();
}
int hearth_re2_group_index(const hearth_re2 *expression, const char *name) {
    const auto &groups = expression->expression.NamedCapturingGroups();
    auto found = groups.find(name);
    return found == groups.end() ? -1 : found->second;
}
int hearth_re2_groups(
    const hearth_re2 *expression, const char *text, size_t length, ptrdiff_t *starts, ptrdiff_t *ends, int count) {
    // An empty piece with a null pointer would look like a group without a part in the match.
    const char *base = text == nullptr ? "" : text;
    std::vector<re2::StringPiece> groups(static_cast<size_t>(count));
    if (!expression->expression.Match(
            re2::StringPiece(base, length), 0, length, RE2::ANCHOR_BOTH, groups.data(), count))
        return 0;
    for (int i = 0; i < count; ++i) {
        bool present = groups[i].data() != nullptr;
        starts[i] = present ? groups[i].data() - base : -1;
        ends[i] = present ? starts[i] + static_cast<ptrdiff_t>(groups[i].size()) : -1;
    }
    return 1;
}
int hearth_re2_find(
    const hearth_re2 *expression, const char *text, size_t length, size_t from, ptrdiff_t *starts, ptrdiff_t *ends,
    int count) {
    const char *base = text == nullptr ? "" : text;
    if (from > length) return 0;
    std::vector<re2::StringPiece> groups(static_cast<size_t>(count));
    if (!expression->expression.Match(
            re2::StringPiece(base, length), from, length, RE2::UNANCHORED, groups.data(), count))
        return 0;
    for (int i = 0; i < count; ++i) {
        bool present = groups[i].data() != nullptr;
        starts[i] = present ? groups[i].data() - base : -1;
        ends[i] = present ? starts[i] + static_cast<ptrdiff_t>(groups[i].size()) : -1;
    }
    return 1;
}
}
