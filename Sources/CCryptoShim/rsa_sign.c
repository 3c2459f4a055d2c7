#include "CCryptoShim.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

// In place of OpenSSL's own, which asks on the terminal.
static int refuse_password(char *buffer, int size, int for_writing, void *context) {
    (void)buffer;
    (void)size;
    (void)for_writing;
    (void)context;
    return -1;
}

static EVP_PKEY *read_key(const char *pem, size_t length) {
    if (length > INT_MAX) return NULL;
    BIO *text = BIO_new_mem_buf(pem, (int)length);
    if (text == NULL) return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(text, NULL, refuse_password, NULL);
    BIO_free(text);
    return key;
}

static const EVP_MD *hash_function(int bits) {
    switch (bits) {
    case 256: return EVP_sha256();
    case 384: return EVP_sha384();
    case 512: return EVP_sha512();
    default: return NULL;
    }
}

static enum hearth_rsa_status sign(
    EVP_PKEY *key, const EVP_MD *hash, const uint8_t *message, size_t message_length, uint8_t *signature, size_t room,
    size_t *signature_length) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    // Belongs to the context above.
    EVP_PKEY_CTX *options = NULL;
    size_t length = room;
    int done = hash != NULL && context != NULL && EVP_DigestSignInit(context, &options, hash, NULL, key) > 0
        && EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PADDING) > 0
        && EVP_DigestSign(context, signature, &length, message, message_length) > 0;
    EVP_MD_CTX_free(context);
    if (!done) return HEARTH_RSA_FAILED;
    *signature_length = length;
    return HEARTH_RSA_OK;
}

enum hearth_rsa_status hearth_rsa_sign(
    const char *pem, size_t pem_length, int bits_of_sha, const uint8_t *message, size_t message_length,
    uint8_t *signature, size_t room, size_t *signature_length) {
    enum hearth_rsa_status status;
    EVP_PKEY *key = read_key(pem, pem_length);
    if (key == NULL) {
        status = HEARTH_RSA_NO_KEY;
    } else if (!EVP_PKEY_is_a(key, "RSA")) {
        status = HEARTH_RSA_OTHER_KIND;
    } else if (EVP_PKEY_get_bits(key) < HEARTH_RSA_LEAST_BITS) {
        status = HEARTH_RSA_TOO_SHORT;
    } else {
        status = sign(key, hash_function(bits_of_sha), message, message_length, signature, room, signature_length);
    }
    EVP_PKEY_free(key);
    // The queue is the thread's own; what it holds must not meet the next user of the thread.
    ERR_clear_error();
    return status;
}
