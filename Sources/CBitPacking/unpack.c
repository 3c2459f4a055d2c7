#include "hearth_bit_packing.h"

#include <string.h>

static inline uint64_t load(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/// Eight numbers take `width` bytes. Up to nine bytes behind them are read as well.
__attribute__((always_inline)) static inline void unpack8(const uint8_t *bytes, unsigned width, uint64_t *values) {
    const uint64_t mask = width == 64 ? ~0ull : (1ull << width) - 1;
#pragma clang loop unroll(full)
    for (unsigned index = 0; index < 8; index++) {
        const unsigned bit = index * width;
        uint64_t word = load(bytes + bit / 8) >> (bit % 8);
        if (bit % 8 + width > 64) word |= (uint64_t)bytes[bit / 8 + 8] << (64 - bit % 8);
        values[index] = word & mask;
    }
}

/// As many groups of eight as lie, with the nine bytes behind them, before `end`. Returns how many.
__attribute__((always_inline)) static inline size_t unpack_groups(const uint8_t *bytes, const uint8_t *end,
                                                                  unsigned width, size_t groups, uint64_t *values) {
    size_t done = 0;
    for (; done < groups && (size_t)(end - bytes) >= width + 9; done++, bytes += width, values += 8) {
        unpack8(bytes, width, values);
    }
    return done;
}

#define WIDTH(w) \
    case w: return unpack_groups(bytes, end, w, groups, values);
#define WIDTHS8(w) \
    WIDTH(w) WIDTH(w + 1) WIDTH(w + 2) WIDTH(w + 3) WIDTH(w + 4) WIDTH(w + 5) WIDTH(w + 6) WIDTH(w + 7)

static size_t dispatch(const uint8_t *bytes, const uint8_t *end, unsigned width, size_t groups, uint64_t *values) {
    switch (width) {
        WIDTHS8(1) WIDTHS8(9) WIDTHS8(17) WIDTHS8(25) WIDTHS8(33) WIDTHS8(41) WIDTHS8(49) WIDTHS8(57)
    }
    return 0;
}

void hearth_unpack(const uint8_t *bytes, size_t size, unsigned width, size_t count, uint64_t *values) {
    if (width == 0) {
        memset(values, 0, count * sizeof *values);
        return;
    }
    if (width > 64) return;
    size_t done = 8 * dispatch(bytes, bytes + size, width, count / 8, values);
    // What is too near the end is read out of a copy with room behind it: less than eight numbers, or less than
    // width + 9 bytes.
    while (done < count) {
        const size_t left = count - done;
        const size_t start = done / 8 * width;
        uint8_t tail[64 + 96] = {0};
        uint64_t group[8];
        const size_t bytes_left = size - start < 64 ? size - start : 64;
        memcpy(tail, bytes + start, bytes_left);
        dispatch(tail, tail + sizeof tail, width, 1, group);
        const size_t taken = left < 8 ? left : 8;
        memcpy(values + done, group, taken * sizeof *group);
        done += taken;
    }
}

int hearth_patch(const uint8_t *bytes, size_t size, size_t count, unsigned position_width, unsigned value_width,
                 int64_t *values, size_t values_count) {
    uint64_t positions[HEARTH_COLUMN_MAX];
    uint64_t patches[HEARTH_COLUMN_MAX];
    const size_t position_bytes = (count * position_width + 7) / 8;
    hearth_unpack(bytes, position_bytes, position_width, count, positions);
    hearth_unpack(bytes + position_bytes, size - position_bytes, value_width, count, patches);
    for (size_t index = 0; index < count; index++) {
        if (positions[index] >= values_count) return 0;
        values[positions[index]] = (int64_t)(patches[index] >> 1) ^ -(int64_t)(patches[index] & 1);
    }
    return 1;
}

int hearth_patch_doubles(const uint8_t *positions, size_t count, unsigned position_width, const uint8_t *patterns,
                         int shared, double *values, size_t values_count) {
    uint64_t places[HEARTH_COLUMN_MAX];
    hearth_unpack(positions, (count * position_width + 7) / 8, position_width, count, places);
    for (size_t index = 0; index < count; index++) {
        if (places[index] >= values_count) return 0;
        memcpy(values + places[index], patterns + (shared ? 0 : 8 * index), 8);
    }
    return 1;
}
