#include "hearth_bit_packing.h"

#include <string.h>

/// What a state means: its token, how many bits lead to the next state, and where those count from.
struct state {
    uint16_t base;
    uint8_t bits;
    uint8_t token;
};

static unsigned logarithm(unsigned number) { return 31 - (unsigned)__builtin_clz(number); }

/// Spreads the tokens over the states. The step is odd, so every state is met once.
static void build(struct state *states, const uint16_t *frequencies, unsigned alphabet) {
    const unsigned step = HEARTH_ANS_STATES * 5 / 8 + 3;
    unsigned place = 0;
    for (unsigned token = 0; token < alphabet; token++) {
        const unsigned frequency = frequencies[token];
        for (unsigned number = frequency; number < 2 * frequency; number++) {
            const unsigned bits = HEARTH_ANS_LOG - logarithm(number);
            states[place].base = (uint16_t)((number << bits) - HEARTH_ANS_STATES);
            states[place].bits = (uint8_t)bits;
            states[place].token = (uint8_t)token;
            place = (place + step) & (HEARTH_ANS_STATES - 1);
        }
    }
}

/// The 57 bits or more from `position` on, with zeros behind the end.
static uint64_t peek(const uint8_t *bytes, size_t size, size_t position) {
    uint64_t word = 0;
    const size_t byte = position / 8;
    if (byte < size) memcpy(&word, bytes + byte, size - byte < 8 ? size - byte : 8);
    return word >> (position % 8);
}

static long decode_tokens(const uint8_t *bytes, size_t size, const uint16_t *frequencies, unsigned alphabet, size_t count,
                          uint8_t *tokens) {
    struct state table[HEARTH_ANS_STATES];
    build(table, frequencies, alphabet);
    const uint64_t mask = HEARTH_ANS_STATES - 1;
    uint64_t word = peek(bytes, size, 0);
    unsigned s0 = word & mask, s1 = word >> HEARTH_ANS_LOG & mask, s2 = word >> 2 * HEARTH_ANS_LOG & mask,
             s3 = word >> 3 * HEARTH_ANS_LOG & mask;
    size_t position = 4 * HEARTH_ANS_LOG;
    size_t index = 0;
    for (; index + 4 <= count && position / 8 + 8 <= size; index += 4) {
        memcpy(&word, bytes + position / 8, 8);
        word >>= position % 8;
        const struct state a = table[s0], b = table[s1], c = table[s2], d = table[s3];
        tokens[index] = a.token;
        tokens[index + 1] = b.token;
        tokens[index + 2] = c.token;
        tokens[index + 3] = d.token;
        s0 = a.base + (unsigned)(word & ((1u << a.bits) - 1));
        word >>= a.bits;
        s1 = b.base + (unsigned)(word & ((1u << b.bits) - 1));
        word >>= b.bits;
        s2 = c.base + (unsigned)(word & ((1u << c.bits) - 1));
        word >>= c.bits;
        s3 = d.base + (unsigned)(word & ((1u << d.bits) - 1));
        position += (size_t)a.bits + b.bits + c.bits + d.bits;
    }
    unsigned lanes[4] = {s0, s1, s2, s3};
    for (; index < count; index++) {
        const struct state now = table[lanes[index & 3]];
        tokens[index] = now.token;
        lanes[index & 3] = now.base + (unsigned)(peek(bytes, size, position) & ((1u << now.bits) - 1));
        position += now.bits;
    }
    const size_t taken = (position + 7) / 8;
    if (taken > size || (lanes[0] | lanes[1] | lanes[2] | lanes[3]) != 0) return -1;
    return (long)taken;
}

static size_t nonzero(const uint8_t *tokens, size_t count) {
    size_t sum = 0;
    for (size_t index = 0; index < count; index++) sum += tokens[index] != 0;
    return sum;
}

/// `low` holds one number more than there are tokens other than 0, unless `low_width` is 0.
static void expand(const uint8_t *tokens, size_t count, int64_t reference, unsigned low_width, const uint64_t *low,
                   int64_t *values) {
    uint64_t meaning[HEARTH_ANS_TOKENS_MAX];
    meaning[0] = 0;
    for (unsigned token = 1; token < HEARTH_ANS_TOKENS_MAX; token++) {
        const uint64_t high = low_width < 64 ? (uint64_t)(token - 1) << low_width : 0;
        meaning[token] = (uint64_t)reference + high;
    }
    if (low_width == 0) {
        for (size_t index = 0; index < count; index++) values[index] = (int64_t)meaning[tokens[index]];
        return;
    }
    // The next low bits are read for a zero as well and then not used: no branch to guess.
    size_t next = 0;
    for (size_t index = 0; index < count; index++) {
        const uint64_t present = tokens[index] != 0;
        values[index] = (int64_t)(meaning[tokens[index]] + (low[next] & (0 - present)));
        next += present;
    }
}

long hearth_ans_column(const uint8_t *bytes, size_t size, const uint16_t *frequencies, unsigned alphabet, size_t count,
                       int64_t reference, unsigned low_width, int64_t *values) {
    uint8_t tokens[HEARTH_COLUMN_MAX];
    uint64_t low[HEARTH_COLUMN_MAX + 1];
    const long stream = decode_tokens(bytes, size, frequencies, alphabet, count, tokens);
    if (stream < 0) return -1;
    size_t low_bytes = 0;
    if (low_width > 0) {
        const size_t present = nonzero(tokens, count);
        low_bytes = (present * low_width + 7) / 8;
        if (low_bytes > size - (size_t)stream) return -1;
        hearth_unpack(bytes + stream, size - (size_t)stream, low_width, present, low);
        low[present] = 0;
    }
    expand(tokens, count, reference, low_width, low, values);
    return stream + (long)low_bytes;
}
