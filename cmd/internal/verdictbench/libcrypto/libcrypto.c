/* The side of OpenSSL and gost-engine in the comparison: one operation, in a loop, for
 * about the given time. Usage:
 *
 *   libcrypto parse SECONDS SIGNATURE
 *   libcrypto login SECONDS SIGNATURE ROOT
 *   libcrypto document SECONDS SIGNATURE ROOT DOCUMENT
 *   libcrypto paths SECONDS ANCHORS LEAVES
 *   libcrypto crl SECONDS LIST      reads it, and looks up one entry, which sorts them
 *   libcrypto lookup SECONDS LIST   looks up an entry of a list that is sorted
 *   libcrypto digest SECONDS FILE   GOST R 34.11-2012, 256 bits
 *
 * Files are DER; those of several certificates hold one after the other. It prints the
 * nanoseconds of processor time of one operation, and for paths also how many were
 * found. Exit status 3 means that there is no engine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/cms.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#define UNSUPPORTED 3

static void fail(const char *what)
{
    fprintf(stderr, "libcrypto: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static void check(int ok, const char *what)
{
    if (ok <= 0)
        fail(what);
}

struct file {
    unsigned char *data;
    long size;
};

static struct file read_file(const char *name)
{
    struct file f;
    FILE *in = fopen(name, "rb");
    if (in == NULL || fseek(in, 0, SEEK_END) != 0)
        fail(name);
    f.size = ftell(in);
    rewind(in);
    f.data = malloc(f.size > 0 ? (size_t)f.size : 1);
    if (f.data == NULL || fread(f.data, 1, (size_t)f.size, in) != (size_t)f.size)
        fail(name);
    fclose(in);
    return f;
}

static struct file signature, document, leaves;
static X509_STORE *store;
static int found;

/* add_anchors lets the store trust every certificate of a file, and build with it. */
static void add_anchors(const char *name)
{
    struct file f = read_file(name);
    const unsigned char *p = f.data;
    while (p < f.data + f.size) {
        X509 *cert = d2i_X509(NULL, &p, f.data + f.size - p);
        if (cert == NULL)
            fail(name);
        check(X509_STORE_add_cert(store, cert), "X509_STORE_add_cert");
        X509_free(cert);
    }
    free(f.data);
}

static CMS_ContentInfo *parse(void)
{
    const unsigned char *p = signature.data;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, signature.size);
    if (cms == NULL)
        fail("d2i_CMS_ContentInfo");
    return cms;
}

static void run_parse(void)
{
    CMS_ContentInfo_free(parse());
}

static void run_login(void)
{
    CMS_ContentInfo *cms = parse();
    check(CMS_verify(cms, NULL, store, NULL, NULL, 0), "CMS_verify");
    CMS_ContentInfo_free(cms);
}

static void run_document(void)
{
    CMS_ContentInfo *cms = parse();
    BIO *content = BIO_new_mem_buf(document.data, (int)document.size);
    check(CMS_verify(cms, NULL, store, content, NULL, CMS_BINARY), "CMS_verify");
    BIO_free(content);
    CMS_ContentInfo_free(cms);
}

static void run_paths(void)
{
    const unsigned char *p = leaves.data;
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    found = 0;
    while (p < leaves.data + leaves.size) {
        X509 *cert = d2i_X509(NULL, &p, leaves.data + leaves.size - p);
        if (cert == NULL) { /* not for OpenSSL: the next one */
            long length;
            int tag, class;
            ERR_clear_error();
            ASN1_get_object(&p, &length, &tag, &class, leaves.data + leaves.size - p);
            p += length;
            continue;
        }
        check(X509_STORE_CTX_init(ctx, store, cert, NULL), "X509_STORE_CTX_init");
        found += X509_verify_cert(ctx) == 1;
        X509_STORE_CTX_cleanup(ctx);
        X509_free(cert);
        ERR_clear_error();
    }
    X509_STORE_CTX_free(ctx);
}

static X509_CRL *list;
static ASN1_INTEGER *serial;
static const EVP_MD *streebog;

static X509_CRL *parse_list(void)
{
    const unsigned char *p = document.data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, document.size);
    if (crl == NULL)
        fail("d2i_X509_CRL");
    return crl;
}

static void look_up(X509_CRL *crl)
{
    X509_REVOKED *entry;
    check(X509_CRL_get0_by_serial(crl, &entry, serial), "X509_CRL_get0_by_serial");
}

/* open_list reads a list and takes the serial number of its last entry. */
static void open_list(const char *name)
{
    STACK_OF(X509_REVOKED) *all;
    document = read_file(name);
    list = parse_list();
    all = X509_CRL_get_REVOKED(list);
    check(sk_X509_REVOKED_num(all), "no entries");
    serial = ASN1_INTEGER_dup(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(all, sk_X509_REVOKED_num(all) - 1)));
}

static void run_crl(void)
{
    X509_CRL *crl = parse_list();
    look_up(crl);
    X509_CRL_free(crl);
}

static void run_lookup(void)
{
    look_up(list);
}

static void run_digest(void)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    check(EVP_Digest(document.data, (size_t)document.size, md, NULL, streebog, NULL), "EVP_Digest");
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void measure(void (*run)(void), double seconds)
{
    double start, passed;
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
    printf("%.1f %d\n", passed * 1e9 / (double)count, found);
}

int main(int argc, char **argv)
{
    void (*run)(void) = NULL;
    ENGINE *engine;
    if (argc < 4)
        fail("usage: libcrypto OPERATION SECONDS FILE...");
    ENGINE_load_builtin_engines();
    engine = ENGINE_by_id("gost");
    if (engine == NULL || !ENGINE_init(engine) || !ENGINE_set_default(engine, ENGINE_METHOD_ALL))
        exit(UNSUPPORTED);
    store = X509_STORE_new();

    if (strcmp(argv[1], "parse") == 0) {
        signature = read_file(argv[3]);
        run = run_parse;
    } else if (strcmp(argv[1], "login") == 0 && argc == 5) {
        signature = read_file(argv[3]);
        add_anchors(argv[4]);
        run = run_login;
    } else if (strcmp(argv[1], "document") == 0 && argc == 6) {
        signature = read_file(argv[3]);
        add_anchors(argv[4]);
        document = read_file(argv[5]);
        run = run_document;
    } else if (strcmp(argv[1], "paths") == 0 && argc == 5) {
        add_anchors(argv[3]);
        leaves = read_file(argv[4]);
        X509_STORE_set_flags(store, X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_IGNORE_CRITICAL);
        run = run_paths;
    } else if (strcmp(argv[1], "crl") == 0) {
        open_list(argv[3]);
        run = run_crl;
    } else if (strcmp(argv[1], "lookup") == 0) {
        open_list(argv[3]);
        run = run_lookup;
    } else if (strcmp(argv[1], "digest") == 0) {
        document = read_file(argv[3]);
        streebog = EVP_get_digestbyname("md_gost12_256");
        check(streebog != NULL, "md_gost12_256");
        run = run_digest;
    } else {
        fail("unknown operation");
    }
    measure(run, atof(argv[2]));
    return 0;
}
