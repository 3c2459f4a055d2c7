#include "CNumberText.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace {
size_t written(char *out, std::to_chars_result result) {
    return result.ec == std::errc() ? static_cast<size_t>(result.ptr - out) : 0;
}

size_t parse(const char *text, size_t length, double *value, int *range_error, std::chars_format format) {
    *range_error = 0;
    auto result = std::from_chars(text, text + length, *value, format);
    if (result.ec == std::errc::invalid_argument) return 0;
    if (result.ec == std::errc::result_out_of_range) {
        // from_chars leaves the value alone; whether it was too large or too small is in the exponent's sign.
        *range_error = 1;
        bool negative = length > 0 && text[0] == '-';
        bool small = false;
        const char mark = format == std::chars_format::hex ? 'p' : 'e';
        bool exponent_seen = false, nonzero_before_point = false, point = false;
        for (const char *c = text; c < result.ptr; ++c) {
            char lower = static_cast<char>(*c | 0x20);
            if (*c == '.') point = true;
            else if (lower == mark) { exponent_seen = true; small = c + 1 < result.ptr && c[1] == '-'; break; }
            else if (!point && *c != '0' && *c != '-') nonzero_before_point = true;
        }
        if (!exponent_seen) small = !nonzero_before_point;
        double magnitude = small ? 0.0 : std::numeric_limits<double>::infinity();
        *value = negative ? -magnitude : magnitude;
    }
    return static_cast<size_t>(result.ptr - text);
}
}  // namespace

extern "C" {
size_t hearth_number_fixed(double value, char *out, size_t capacity) {
    return written(out, std::to_chars(out, out + capacity, value, std::chars_format::fixed));
}
size_t hearth_number_scientific(double value, char *out, size_t capacity) {
    return written(out, std::to_chars(out, out + capacity, value, std::chars_format::scientific));
}
size_t hearth_number_fixed_digits(double value, int digits, char *out, size_t capacity) {
    return written(out, std::to_chars(out, out + capacity, value, std::chars_format::fixed, digits));
}
size_t hearth_number_scientific_digits(double value, int digits, char *out, size_t capacity) {
    return written(out, std::to_chars(out, out + capacity, value, std::chars_format::scientific, digits));
}
size_t hearth_number_parse(const char *text, size_t length, double *value, int *range_error) {
    return parse(text, length, value, range_error, std::chars_format::general);
}
size_t hearth_number_parse_hex(const char *text, size_t length, double *value, int *range_error) {
    return parse(text, length, value, range_error, std::chars_format::hex);
}
}
