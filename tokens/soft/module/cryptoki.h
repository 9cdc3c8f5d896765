/*
 * What a PKCS#11 v2.40 library shows to the world, as far as it is needed here: types
 * in memory, and the table of functions. The layout is that of the standard for Unix
 * systems, where nothing is packed.
 */
#ifndef PROPUSK_CRYPTOKI_H
#define PROPUSK_CRYPTOKI_H

typedef unsigned char CK_BYTE;
typedef unsigned long CK_ULONG;
typedef CK_ULONG CK_RV;

_Static_assert(sizeof(CK_ULONG) == 8, "the library is for Unix systems of 64 bits");

typedef struct {
	CK_BYTE major, minor;
} CK_VERSION;

/* C_GetInfo. Texts are padded with blanks, and end without a zero byte. */
typedef struct {
	CK_VERSION cryptokiVersion;
	CK_BYTE manufacturer[32];
	CK_ULONG flags;
	CK_BYTE description[32];
	CK_VERSION libraryVersion;
} CK_INFO;

typedef struct {
	CK_BYTE description[64];
	CK_BYTE manufacturer[32];
	CK_ULONG flags;
	CK_VERSION hardwareVersion, firmwareVersion;
} CK_SLOT_INFO;

typedef struct {
	CK_BYTE label[32];
	CK_BYTE manufacturer[32];
	CK_BYTE model[16];
	CK_BYTE serial[16];
	CK_ULONG flags;
	CK_ULONG maxSessions, sessions, maxRWSessions, rwSessions;
	CK_ULONG maxPIN, minPIN;
	CK_ULONG totalPublic, freePublic, totalPrivate, freePrivate;
	CK_VERSION hardwareVersion, firmwareVersion;
	CK_BYTE utcTime[16];
} CK_TOKEN_INFO;

typedef struct {
	CK_ULONG slot, state, flags, deviceError;
} CK_SESSION_INFO;

typedef struct {
	CK_ULONG type;
	void *value;
	CK_ULONG length;
} CK_ATTRIBUTE;

typedef struct {
	CK_ULONG type;
	void *param;
	CK_ULONG length;
} CK_MECHANISM;

typedef struct {
	CK_ULONG minKeySize, maxKeySize, flags;
} CK_MECHANISM_INFO;

/* The parameter of CKM_GOST_KEG: that of ECDH1. */
typedef struct {
	CK_ULONG kdf;
	CK_ULONG sharedLength;
	CK_BYTE *shared;
	CK_ULONG publicLength;
	CK_BYTE *public;
} CK_AGREEMENT;

/* What C_Initialize is given: functions for locks, which we have no need of. */
typedef struct {
	void *createMutex, *destroyMutex, *lockMutex, *unlockMutex;
	CK_ULONG flags;
	void *reserved;
} CK_INITIALIZE_ARGS;

/* The table that an application calls through: the version, then 68 functions in the
 * order of the standard, each with parameters of its own. */
enum { FUNCTION_COUNT = 68 };

typedef struct {
	CK_VERSION version;
	void (*functions[FUNCTION_COUNT])(void);
} CK_FUNCTION_LIST;

/* functions.c */
CK_FUNCTION_LIST *propusk_functions(void);
const char *propusk_directory(void);

#endif
