#include "hearth_bit_packing.h"

#include <string.h>

void hearth_integrate(int64_t *values, size_t count, unsigned order, int64_t reference, int64_t slope, int64_t first,
                      int64_t multiplier) {
    if (count == 0) return;
    uint64_t *sums = (uint64_t *)values;
    const uint64_t from = (uint64_t)reference, start = (uint64_t)first, times = (uint64_t)multiplier;
    if (order == 0) {
        for (size_t index = 0; index < count; index++) sums[index] = start + times * (sums[index] + from);
        return;
    }
    if (order == 1) {
        uint64_t sum = start;
        sums[0] = start;
        if (times == 1) {
            for (size_t index = 1; index < count; index++) sums[index] = sum += sums[index] + from;
        } else {
            for (size_t index = 1; index < count; index++) sums[index] = sum += times * (sums[index] + from);
        }
        return;
    }
    uint64_t difference = times * (uint64_t)slope;
    uint64_t sum = start + difference;
    sums[0] = start;
    if (count > 1) sums[1] = sum;
    for (size_t index = 2; index < count; index++) {
        difference += times * (sums[index] + from);
        sums[index] = sum += difference;
    }
}

void hearth_add_base(int64_t *values, size_t count, const double *base) {
    const double limit = 9007199254740992.0;
    for (size_t index = 0; index < count; index++) {
        const double number = base[index];
        const int64_t whole = number > -limit && number < limit ? (int64_t)number : 0;
        values[index] = (int64_t)((uint64_t)values[index] + (uint64_t)whole);
    }
}

void hearth_divide(int64_t *values, size_t count, double divisor) {
    for (size_t index = 0; index < count; index++) {
        const double value = (double)values[index] / divisor;
        memcpy(values + index, &value, sizeof value);
    }
}

void hearth_multiply(int64_t *values, size_t count, double factor) {
    for (size_t index = 0; index < count; index++) {
        const double value = (double)values[index] * factor;
        memcpy(values + index, &value, sizeof value);
    }
}
