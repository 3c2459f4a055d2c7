#ifndef HEARTH_CHECKSUM_H
#define HEARTH_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// Whether the processor has an instruction for CRC-32C.
int hearth_has_crc32c(void);

/// Extends a raw CRC-32C state (not inverted) by `count` bytes, by that instruction.
/// Only where `hearth_has_crc32c` says yes.
uint32_t hearth_crc32c(uint32_t state, const void *bytes, size_t count);

#endif
