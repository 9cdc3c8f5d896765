/*
 * A PKCS#11 library that does what another one does, except for one fault that the
 * environment chooses: it crashes, hangs or lies in a function. See package faulty.
 *
 *   PROPUSK_FAULTY_MODULE  the library that is called otherwise
 *   PROPUSK_FAULTY         FUNCTION:FAULT or FUNCTION:FAULT:VALUE
 *   PROPUSK_FAULTY_ONCE    a file: the fault happens only to who makes it
 *   PROPUSK_FAULTY_LOG     a file that gets a line for each C_Login
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long ulong;
typedef ulong (*function)(ulong, ulong, ulong, ulong, ulong, ulong, ulong, ulong);

enum { COUNT = 68, TOKEN_INFO = 208, GET_FUNCTION_LIST = 3 };

struct list {
	unsigned char version[2];
	function functions[COUNT];
};

struct attribute {
	ulong type;
	unsigned char *value;
	ulong length;
};

static const char *const names[COUNT] = {
	"C_Initialize", "C_Finalize", "C_GetInfo", "C_GetFunctionList", "C_GetSlotList", "C_GetSlotInfo",
	"C_GetTokenInfo", "C_GetMechanismList", "C_GetMechanismInfo", "C_InitToken", "C_InitPIN", "C_SetPIN",
	"C_OpenSession", "C_CloseSession", "C_CloseAllSessions", "C_GetSessionInfo", "C_GetOperationState",
	"C_SetOperationState", "C_Login", "C_Logout", "C_CreateObject", "C_CopyObject", "C_DestroyObject",
	"C_GetObjectSize", "C_GetAttributeValue", "C_SetAttributeValue", "C_FindObjectsInit", "C_FindObjects",
	"C_FindObjectsFinal", "C_EncryptInit", "C_Encrypt", "C_EncryptUpdate", "C_EncryptFinal", "C_DecryptInit",
	"C_Decrypt", "C_DecryptUpdate", "C_DecryptFinal", "C_DigestInit", "C_Digest", "C_DigestUpdate", "C_DigestKey",
	"C_DigestFinal", "C_SignInit", "C_Sign", "C_SignUpdate", "C_SignFinal", "C_SignRecoverInit", "C_SignRecover",
	"C_VerifyInit", "C_Verify", "C_VerifyUpdate", "C_VerifyFinal", "C_VerifyRecoverInit", "C_VerifyRecover",
	"C_DigestEncryptUpdate", "C_DecryptDigestUpdate", "C_SignEncryptUpdate", "C_DecryptVerifyUpdate",
	"C_GenerateKey", "C_GenerateKeyPair", "C_WrapKey", "C_UnwrapKey", "C_DeriveKey", "C_SeedRandom",
	"C_GenerateRandom", "C_GetFunctionStatus", "C_CancelFunction", "C_WaitForSlotEvent",
};

static struct list *real;
static struct list list;
static int faulty = -1; /* the index of the function with the fault */
static char fault[32];
static char *value;

static int is(const char *name) { return strcmp(fault, name) == 0; }

/* now reports whether this is the time for the fault. */
static int now(void) {
	const char *once = getenv("PROPUSK_FAULTY_ONCE");
	if (once == NULL)
		return 1;
	int fd = open(once, O_CREAT | O_EXCL | O_WRONLY, 0600);
	if (fd < 0)
		return 0;
	close(fd);
	return 1;
}

/* contents is the file that the value names. */
static size_t contents(unsigned char *out, size_t room) {
	FILE *f = fopen(value, "rb");
	if (f == NULL)
		abort();
	size_t n = fread(out, 1, room, f);
	fclose(f);
	return n;
}

/* Lies about the attribute of one type, which the value has before a slash. */
static void attributes(struct attribute *a, ulong count) {
	char *rest;
	ulong type = strtoul(value, &rest, 0);
	for (ulong i = 0; i < count; i++) {
		if (a[i].type != type || a[i].length == ~0UL)
			continue;
		if (is("huge")) {
			a[i].length = 1UL << 40;
		} else if (is("minus-one")) {
			a[i].length = ~0UL;
		} else if (is("empty")) {
			a[i].length = 0;
		} else if (is("garbage") && a[i].value != NULL) {
			for (ulong j = 0; j < a[i].length; j++)
				a[i].value[j] = (unsigned char)(j * 37 + 200);
		} else if (is("other")) { /* TYPE/FILE: the content of a file */
			static unsigned char other[1 << 16];
			char *whole = value;
			value = rest + 1;
			ulong n = contents(other, sizeof other);
			value = whole;
			if (a[i].value != NULL)
				memcpy(a[i].value, other, n);
			a[i].length = n;
		}
	}
}

/* Lies about bytes: a signature, at most. */
static void bytes(unsigned char *out, ulong *length) {
	if (is("huge")) {
		*length = 1UL << 40;
	} else if (is("empty")) {
		*length = 0;
	} else if (out == NULL) {
		return; /* the others tell the truth about the length */
	} else if (is("flip")) {
		out[5] ^= 1;
	} else if (is("short")) {
		*length -= 1;
	} else if (is("zeros")) {
		memset(out, 0, *length);
	} else if (is("swap")) {
		for (ulong i = 0; i < *length / 2; i++) {
			unsigned char b = out[i];
			out[i] = out[*length / 2 + i];
			out[*length / 2 + i] = b;
		}
	}
}

/* Lies about handles and other numbers. */
static void numbers(ulong *out, ulong *count) {
	if (is("huge")) {
		*count = 1UL << 40;
	} else if (is("zero") && out != NULL) {
		for (ulong i = 0; i < *count; i++)
			out[i] = 0;
	} else if (is("zero-one")) {
		*out = 0;
	}
}

/* Lies about a token. The texts are the first 96 bytes, the flags the next 8. */
static void token(unsigned char *info) {
	ulong flags;
	memcpy(&flags, info + 96, sizeof flags);
	if (is("unpadded")) {
		memset(info, 'x', 96);
	} else if (is("zeros")) {
		memset(info, 0, 96);
	} else if (is("garbage")) {
		memset(info, 0xff, 96);
		memcpy(info, "\033[2J\r\nPIN: \xe2\x80\xae", 14);
	} else if (is("set-flags")) {
		flags |= strtoul(value, NULL, 0);
	} else if (is("clear-flags")) {
		flags &= ~strtoul(value, NULL, 0);
	} else if (is("counts")) {
		memset(info + 104, 0xee, 80);
	}
	memcpy(info + 96, &flags, sizeof flags);
}

/* lie changes what a function returned. */
static void lie(ulong a, ulong b, ulong c, ulong d, ulong e, ulong f, ulong h) {
	const char *name = names[faulty];
	(void)a, (void)f;
	if (strcmp(name, "C_GetAttributeValue") == 0)
		attributes((struct attribute *)c, d);
	else if (strcmp(name, "C_Sign") == 0)
		bytes((unsigned char *)d, (ulong *)e);
	else if (strcmp(name, "C_GetSlotList") == 0)
		numbers((ulong *)b, (ulong *)c);
	else if (strcmp(name, "C_GetMechanismList") == 0)
		numbers((ulong *)b, (ulong *)c);
	else if (strcmp(name, "C_FindObjects") == 0)
		numbers((ulong *)b, (ulong *)d);
	else if (strcmp(name, "C_OpenSession") == 0)
		numbers((ulong *)e, NULL);
	else if (strcmp(name, "C_CreateObject") == 0)
		numbers((ulong *)d, NULL);
	else if (strcmp(name, "C_DeriveKey") == 0)
		numbers((ulong *)f, NULL);
	else if (strcmp(name, "C_GetTokenInfo") == 0)
		token((unsigned char *)b);
	else if (strcmp(name, "C_GetInfo") == 0)
		memset((void *)a, 0xff, 88);
	(void)h;
}

/* endless finds the same object for ever. */
static ulong endless(ulong *out, ulong room, ulong *count) {
	for (ulong i = 0; i < room; i++)
		out[i] = 1;
	*count = room;
	return 0;
}

static void logins(void) {
	const char *log = getenv("PROPUSK_FAULTY_LOG");
	if (log == NULL)
		return;
	int fd = open(log, O_CREAT | O_APPEND | O_WRONLY, 0600);
	if (fd < 0 || write(fd, "login\n", 6) != 6)
		abort();
	close(fd);
}

static ulong call(int i, ulong a, ulong b, ulong c, ulong d, ulong e, ulong f, ulong g, ulong h) {
	if (strcmp(names[i], "C_Login") == 0)
		logins();
	if (i != faulty || !now())
		return real->functions[i](a, b, c, d, e, f, g, h);
	if (is("crash"))
		*(volatile int *)8 = 1;
	if (is("exit"))
		_exit(0);
	while (is("hang"))
		pause();
	if (is("daemon") && fork() == 0) { /* holds all pipes, a minute more than anybody waits */
		sleep(120);
		_exit(0);
	}
	if (is("print")) { /* into what the process has for its output */
		printf("library: here I am\n");
		fflush(stdout);
		fprintf(stderr, "library: here I am\n");
	}
	if (is("rv"))
		return strtoul(value, NULL, 0);
	if (is("endless"))
		return endless((ulong *)b, c, (ulong *)d);
	ulong rv = real->functions[i](a, b, c, d, e, f, g, h);
	if (is("yes")) /* and what was begun has ended */
		return 0;
	if (is("after")) /* it was done, and nobody is told */
		return strtoul(value, NULL, 0);
	if (is("empty") && rv == 0x150) /* no place for what is not there: CKR_BUFFER_TOO_SMALL */
		rv = 0;
	if (rv == 0)
		lie(a, b, c, d, e, f, h);
	return rv;
}

/* One function for each place of the table. The calling conventions of the systems that
 * this is for let a function be called with more arguments than it has. */
#define W(n) static ulong w##n(ulong a, ulong b, ulong c, ulong d, ulong e, ulong f, ulong g, ulong h) { return call(n, a, b, c, d, e, f, g, h); }
#define TEN(t) W(t##0) W(t##1) W(t##2) W(t##3) W(t##4) W(t##5) W(t##6) W(t##7) W(t##8) W(t##9)
W(0) W(1) W(2) W(3) W(4) W(5) W(6) W(7) W(8) W(9)
TEN(1) TEN(2) TEN(3) TEN(4) TEN(5)
W(60) W(61) W(62) W(63) W(64) W(65) W(66) W(67)

#define P(t) w##t##0, w##t##1, w##t##2, w##t##3, w##t##4, w##t##5, w##t##6, w##t##7, w##t##8, w##t##9
static const function wrappers[COUNT] = {
	w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, P(1), P(2), P(3), P(4), P(5), w60, w61, w62, w63, w64, w65, w66, w67,
};

ulong C_GetFunctionList(struct list **out) {
	const char *path = getenv("PROPUSK_FAULTY_MODULE"), *what = getenv("PROPUSK_FAULTY");
	void *library = path == NULL ? NULL : dlopen(path, RTLD_NOW);
	ulong (*get)(struct list **) = NULL;
	if (library != NULL)
		*(void **)&get = dlsym(library, "C_GetFunctionList");
	if (get == NULL || get(&real) != 0)
		return 5; /* CKR_GENERAL_ERROR */
	memcpy(list.version, real->version, sizeof list.version);
	memcpy(list.functions, wrappers, sizeof list.functions);
	list.functions[GET_FUNCTION_LIST] = (function)(void (*)(void))C_GetFunctionList;
	if (what != NULL) {
		char *copy = strdup(what), *rest = copy;
		const char *name = strsep(&rest, ":"), *kind = strsep(&rest, ":");
		value = rest;
		snprintf(fault, sizeof fault, "%s", kind == NULL ? "" : kind);
		for (int i = 0; i < COUNT; i++)
			if (strcmp(names[i], name) == 0)
				faulty = i;
		if (faulty < 0)
			abort();
	}
	*out = &list;
	return 0;
}
