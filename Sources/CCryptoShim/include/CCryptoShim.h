#pragma once
#include <stddef.h>
#include <stdint.h>

// Signatures by the system's OpenSSL (3.0 and later), behind a header that takes in none of OpenSSL's.

enum hearth_rsa_status {
    HEARTH_RSA_OK = 0,
    // No private key in the text, or one that asks for a password.
    HEARTH_RSA_NO_KEY,
    // A key of another kind.
    HEARTH_RSA_OTHER_KIND,
    // Fewer bits than HEARTH_RSA_LEAST_BITS.
    HEARTH_RSA_TOO_SHORT,
    HEARTH_RSA_FAILED
};

#define HEARTH_RSA_LEAST_BITS 1024
// Room for the signature of any key that OpenSSL works with (16,384 bits). bytes
#define HEARTH_RSA_SIGNATURE_ROOM 2048

// Signs a message by RSASSA-PKCS1-v1_5 (RFC 8017, 8.2) with SHA-256, SHA-384 or SHA-512: `bits_of_sha` is 256, 384 or
// 512. The key is the first private one in the PEM text, by PKCS #1 or PKCS #8. `signature_length` is written with
// HEARTH_RSA_OK only. May be called on several threads at once.
enum hearth_rsa_status hearth_rsa_sign(
    const char *pem, size_t pem_length, int bits_of_sha, const uint8_t *message, size_t message_length,
    uint8_t *signature, size_t room, size_t *signature_length);
