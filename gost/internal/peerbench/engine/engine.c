/* The side of gost-engine in the comparison: one operation through libcrypto, in a
 * loop, for about the given time. Usage: engine OPERATION SECONDS; it prints the
 * nanoseconds of processor time of one operation. Exit status 3 means that the
 * engine lacks it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/engine.h>
#include <openssl/evp.h>

#define UNSUPPORTED 3

static ENGINE *engine;
static unsigned char data[1 << 16], out[1 << 16], key[32], iv[16];

static void fail(const char *what)
{
    fprintf(stderr, "engine: %s\n", what);
    exit(1);
}

static void check(int ok, const char *what)
{
    if (ok <= 0)
        fail(what);
}

/* Everything an operation needs, made before the clock starts. */
static struct {
    size_t size;
    const EVP_MD *md;
    EVP_MD_CTX *md_ctx;
    EVP_CIPHER_CTX *cipher_ctx;
    EVP_PKEY *mac_key;
    EVP_PKEY_CTX *pkey_ctx;
    size_t digest_size;
    unsigned char signature[128];
    size_t signature_size;
} s;

static void run_hash(void)
{
    check(EVP_DigestInit_ex(s.md_ctx, s.md, engine), "DigestInit");
    check(EVP_DigestUpdate(s.md_ctx, data, s.size), "DigestUpdate");
    check(EVP_DigestFinal_ex(s.md_ctx, out, NULL), "DigestFinal");
}

static void run_cipher(void)
{
    int n;
    check(EVP_EncryptInit_ex(s.cipher_ctx, NULL, NULL, key, iv), "EncryptInit");
    check(EVP_EncryptUpdate(s.cipher_ctx, out, &n, data, (int)s.size), "EncryptUpdate");
}

static void run_mac(void)
{
    size_t n = 16;
    check(EVP_DigestSignInit(s.md_ctx, NULL, s.md, engine, s.mac_key), "DigestSignInit");
    check(EVP_DigestSignUpdate(s.md_ctx, data, s.size), "DigestSignUpdate");
    check(EVP_DigestSignFinal(s.md_ctx, out, &n), "DigestSignFinal");
    check(EVP_MD_CTX_reset(s.md_ctx), "MD_CTX_reset");
}

static void run_sign(void)
{
    size_t n = sizeof(s.signature);
    check(EVP_PKEY_sign(s.pkey_ctx, s.signature, &n, data, s.digest_size), "sign");
    s.signature_size = n;
}

static void run_verify(void)
{
    check(EVP_PKEY_verify(s.pkey_ctx, s.signature, s.signature_size, data, s.digest_size), "verify");
}

static void run_agree(void)
{
    size_t n = 64;
    check(EVP_PKEY_derive(s.pkey_ctx, out, &n), "derive");
}

static void prepare_hash(const char *name)
{
    s.md = EVP_get_digestbyname(name);
    if (s.md == NULL)
        exit(UNSUPPORTED);
    s.md_ctx = EVP_MD_CTX_new();
}

static void prepare_cipher(const char *name)
{
    const EVP_CIPHER *cipher = EVP_get_cipherbyname(name);
    if (cipher == NULL)
        exit(UNSUPPORTED);
    s.cipher_ctx = EVP_CIPHER_CTX_new();
    check(EVP_EncryptInit_ex(s.cipher_ctx, cipher, engine, key, iv), "EncryptInit");
}

static void prepare_mac(const char *name)
{
    prepare_hash(name);
    s.mac_key = EVP_PKEY_new_mac_key(EVP_MD_get_type(s.md), engine, key, sizeof(key));
    if (s.mac_key == NULL)
        exit(UNSUPPORTED);
}

static EVP_PKEY *new_key(int bits, const char *paramset)
{
    EVP_PKEY *pkey = NULL;
    int id = OBJ_txt2nid(bits == 512 ? "gost2012_512" : "gost2012_256");
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(id, engine);
    if (ctx == NULL)
        exit(UNSUPPORTED);
    check(EVP_PKEY_keygen_init(ctx), "keygen_init");
    check(EVP_PKEY_CTX_ctrl_str(ctx, "paramset", paramset), "paramset");
    check(EVP_PKEY_keygen(ctx, &pkey), "keygen");
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static void prepare_signature(int bits, const char *paramset, int verify)
{
    EVP_PKEY *pkey = new_key(bits, paramset);
    s.digest_size = (size_t)bits / 8;
    s.pkey_ctx = EVP_PKEY_CTX_new(pkey, engine);
    check(EVP_PKEY_sign_init(s.pkey_ctx), "sign_init");
    run_sign();
    if (verify) {
        s.pkey_ctx = EVP_PKEY_CTX_new(pkey, engine);
        check(EVP_PKEY_verify_init(s.pkey_ctx), "verify_init");
    }
}

static void prepare_agreement(int bits, const char *paramset)
{
    EVP_PKEY *pkey = new_key(bits, paramset), *peer = new_key(bits, paramset);
    s.pkey_ctx = EVP_PKEY_CTX_new(pkey, engine);
    check(EVP_PKEY_derive_init(s.pkey_ctx), "derive_init");
    check(EVP_PKEY_derive_set_peer(s.pkey_ctx, peer), "set_peer");
    check(EVP_PKEY_CTX_ctrl(s.pkey_ctx, -1, -1, EVP_PKEY_CTRL_SET_IV, 8, (void *)key), "UKM");
}

/* prepare takes KIND/NAME or KIND/NAME/NUMBER: the number is of bytes or bits. */
static void (*prepare(char *operation))(void)
{
    char *kind = strtok(operation, "/"), *name = strtok(NULL, "/"), *number = strtok(NULL, "/");
    int n = number == NULL ? 0 : atoi(number);
    if (kind == NULL || name == NULL)
        fail("operation must be KIND/NAME/NUMBER");
    s.size = (size_t)n < sizeof(data) ? (size_t)n : sizeof(data);
    if (strcmp(kind, "hash") == 0) {
        prepare_hash(name);
        return run_hash;
    } else if (strcmp(kind, "cipher") == 0) {
        prepare_cipher(name);
        return run_cipher;
    } else if (strcmp(kind, "mac") == 0) {
        prepare_mac(name);
        return run_mac;
    } else if (strcmp(kind, "sign") == 0) {
        prepare_signature(n, name, 0);
        return run_sign;
    } else if (strcmp(kind, "verify") == 0) {
        prepare_signature(n, name, 1);
        return run_verify;
    } else if (strcmp(kind, "agree") == 0) {
        prepare_agreement(n, name);
        return run_agree;
    }
    fail("unknown kind of operation");
    return NULL;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("usage: engine OPERATION SECONDS");
    ENGINE_load_builtin_engines();
    engine = ENGINE_by_id("gost");
    if (engine == NULL || !ENGINE_init(engine) || !ENGINE_set_default(engine, ENGINE_METHOD_ALL))
        exit(UNSUPPORTED);
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (unsigned char)(i + 1);

    void (*run)(void) = prepare(argv[1]);
    double seconds = atof(argv[2]), start, passed;
    long batch = 1, count = 0;
    run();
    start = now();
    do {
        for (long i = 0; i < batch; i++)
            run();
        count += batch;
        passed = now() - start;
        if (passed < seconds / 20)
            batch *= 2;
    } while (passed < seconds);
    printf("%.1f\n", passed * 1e9 / (double)count);
    return 0;
}
