//go:build cgo && unix

/* The table of functions, and those that the library does not support. */

#include <stdlib.h>

#include "_cgo_export.h"

/* The calling conventions of the systems we are for let the caller clean up, so that
 * one function without parameters stands for all that are not supported. */
static CK_RV unsupported(void) { return 0x54; /* CKR_FUNCTION_NOT_SUPPORTED */ }

/* Left over from version 1: CKR_FUNCTION_NOT_PARALLEL. */
static CK_RV legacy(void) { return 0x51; }

#define F(name) (void (*)(void))(name)

static CK_FUNCTION_LIST list = {
	{2, 40},
	{
		F(C_Initialize), F(C_Finalize), F(C_GetInfo), F(C_GetFunctionList),
		F(C_GetSlotList), F(C_GetSlotInfo), F(C_GetTokenInfo),
		F(C_GetMechanismList), F(C_GetMechanismInfo),
		F(C_InitToken), F(C_InitPIN), F(C_SetPIN),
		F(C_OpenSession), F(C_CloseSession), F(C_CloseAllSessions), F(C_GetSessionInfo),
		F(unsupported), /* C_GetOperationState */
		F(unsupported), /* C_SetOperationState */
		F(C_Login), F(C_Logout),
		F(C_CreateObject),
		F(unsupported), /* C_CopyObject */
		F(C_DestroyObject),
		F(unsupported), /* C_GetObjectSize */
		F(C_GetAttributeValue), F(C_SetAttributeValue),
		F(C_FindObjectsInit), F(C_FindObjects), F(C_FindObjectsFinal),
		F(unsupported), /* C_EncryptInit */
		F(unsupported), /* C_Encrypt */
		F(unsupported), /* C_EncryptUpdate */
		F(unsupported), /* C_EncryptFinal */
		F(unsupported), /* C_DecryptInit */
		F(unsupported), /* C_Decrypt */
		F(unsupported), /* C_DecryptUpdate */
		F(unsupported), /* C_DecryptFinal */
		F(C_DigestInit), F(C_Digest), F(C_DigestUpdate),
		F(unsupported), /* C_DigestKey */
		F(C_DigestFinal),
		F(C_SignInit), F(C_Sign), F(C_SignUpdate), F(C_SignFinal),
		F(unsupported), /* C_SignRecoverInit */
		F(unsupported), /* C_SignRecover */
		F(C_VerifyInit), F(C_Verify), F(C_VerifyUpdate), F(C_VerifyFinal),
		F(unsupported), /* C_VerifyRecoverInit */
		F(unsupported), /* C_VerifyRecover */
		F(unsupported), /* C_DigestEncryptUpdate */
		F(unsupported), /* C_DecryptDigestUpdate */
		F(unsupported), /* C_SignEncryptUpdate */
		F(unsupported), /* C_DecryptVerifyUpdate */
		F(unsupported), /* C_GenerateKey */
		F(C_GenerateKeyPair),
		F(unsupported), /* C_WrapKey */
		F(unsupported), /* C_UnwrapKey */
		F(C_DeriveKey),
		F(unsupported), /* C_SeedRandom */
		F(C_GenerateRandom),
		F(legacy), /* C_GetFunctionStatus */
		F(legacy), /* C_CancelFunction */
		F(C_WaitForSlotEvent),
	},
};

CK_FUNCTION_LIST *propusk_functions(void) { return &list; }

/* The environment as it is now: that of the Go runtime is a copy from the time when
 * the library was loaded. */
const char *propusk_directory(void) { return getenv("PROPUSK_SOFT_TOKENS"); }
