#ifndef CNUMBERTEXT_H
#define CNUMBERTEXT_H
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif

/// Shortest decimal text without exponent that reads back as the same double (Go's strconv 'f', -1).
/// Returns the number of bytes written, 0 if `capacity` is too small (350 is always enough). Finite values only.
size_t hearth_number_fixed(double value, char *out, size_t capacity);

/// Shortest text with an exponent of at least two digits (Go's 'e', -1).
size_t hearth_number_scientific(double value, char *out, size_t capacity);

/// `digits` digits after the point, without exponent (Go's 'f', digits).
size_t hearth_number_fixed_digits(double value, int digits, char *out, size_t capacity);

/// `digits` digits after the point, with an exponent (Go's 'e', digits).
size_t hearth_number_scientific_digits(double value, int digits, char *out, size_t capacity);

/// Reads a decimal floating point number ("12", "-1.5e-7"; no leading '+', no hex, no "inf"/"nan" handling beyond
/// that of std::from_chars) from the start of `text`. Returns the bytes consumed, 0 if there is no number.
/// A magnitude out of range gives infinity or zero, as Go's ParseFloat does, with `*range_error` set to 1.
size_t hearth_number_parse(const char *text, size_t length, double *value, int *range_error);

/// The same for hexadecimal floating point without the "0x" prefix ("1.8p1").
size_t hearth_number_parse_hex(const char *text, size_t length, double *value, int *range_error);

#ifdef __cplusplus
}
#endif
#endif
