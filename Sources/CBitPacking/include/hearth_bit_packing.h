#ifndef HEARTH_BIT_PACKING_H
#define HEARTH_BIT_PACKING_H

#include <stddef.h>
#include <stdint.h>

/// The decoding loops of cold pages: plain loops over memory, nothing allocated. The caller has checked the lengths;
/// what only the loop itself can see is told by the result. No byte outside of the given ones is read.

/// The most values that one call takes.
#define HEARTH_COLUMN_MAX 1024
/// The number of states of the entropy coder, and its logarithm.
#define HEARTH_ANS_STATES 512
#define HEARTH_ANS_LOG 9
/// The most tokens of an alphabet.
#define HEARTH_ANS_TOKENS_MAX 65

/// Reads `count` numbers of `width` bits (0 to 64), the first from the lowest bits of the first byte.
/// `bytes` holds at least (count * width + 7) / 8 bytes; `size` says how many may be read.
void hearth_unpack(const uint8_t *bytes, size_t size, unsigned width, size_t count, uint64_t *values);

/// Replaces numbers: `count` positions of `position_width` bits, then from the next whole byte on as many numbers
/// (zigzag) of `value_width` bits. Returns 0 where a position is not below `values_count`, otherwise 1.
/// `size` holds both; `count` is at most HEARTH_COLUMN_MAX.
int hearth_patch(const uint8_t *bytes, size_t size, size_t count, unsigned position_width, unsigned value_width,
                 int64_t *values, size_t values_count);

/// Replaces doubles: positions as above, and the bits of a double for each, or of one for all if `shared` is not 0.
int hearth_patch_doubles(const uint8_t *positions, size_t count, unsigned position_width, const uint8_t *patterns,
                         int shared, double *values, size_t values_count);

/// Decodes `count` numbers (at most HEARTH_COLUMN_MAX) of four interleaved table-driven asymmetric numeral systems.
/// `frequencies` of the `alphabet` tokens (at most HEARTH_ANS_TOKENS_MAX) add up to HEARTH_ANS_STATES. The token 0 is
/// the number 0, another one reference + ((token - 1) << low_width | low); the low bits (`low_width`, at most 64, for
/// each token but 0) begin with the next byte behind the stream. Returns the bytes that stream and low bits take, or -1
/// where they are longer than `size` or the last states are not those that an encoder begins with.
long hearth_ans_column(const uint8_t *bytes, size_t size, const uint16_t *frequencies, unsigned alphabet, size_t count,
                       int64_t reference, unsigned low_width, int64_t *values);

/// Adds up in place, all arithmetic modulo 2^64: order 0 leaves the numbers alone, 1 takes them for differences and
/// 2 for differences of differences; the first sum is 0, and of order 2 the second one `slope`.
/// Each number becomes first + multiplier * (sum, to which `reference` is added before it is summed).
void hearth_integrate(int64_t *values, size_t count, unsigned order, int64_t reference, int64_t slope, int64_t first,
                      int64_t multiplier);

/// Adds what `base` holds as whole numbers; what is none or not below 2^53 counts as its integral part or as 0.
void hearth_add_base(int64_t *values, size_t count, const double *base);

/// Numbers to doubles in place: divided by `divisor`, or multiplied by `factor`. Eight bytes each.
void hearth_divide(int64_t *values, size_t count, double divisor);
void hearth_multiply(int64_t *values, size_t count, double factor);

#endif
