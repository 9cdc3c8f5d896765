//go:build cgo

package tokens

/*
#cgo linux LDFLAGS: -ldl
#include <stdlib.h>
#include <string.h>

typedef unsigned long ulong_t; // CK_ULONG and CK_RV

#ifdef _WIN32
#include <windows.h>
#pragma pack(push, 1) // as cryptoki.h has it on Windows
static void *library_open(const char *path) { return (void *)LoadLibraryA(path); }
static void *library_symbol(void *l, const char *name) { return (void *)GetProcAddress((HMODULE)l, name); }
static void library_close(void *l) { FreeLibrary((HMODULE)l); }
#else
#include <dlfcn.h>
static void *library_open(const char *path) { return dlopen(path, RTLD_LAZY); }
static void *library_symbol(void *l, const char *name) { return dlsym(l, name); }
static void library_close(void *l) { dlclose(l); }
#endif

// CK_FUNCTION_LIST of PKCS #11 v2.40.
typedef struct {
	unsigned char major, minor;
	void *functions[68];
} function_list;

#ifdef _WIN32
#pragma pack(pop)
#endif

enum { C_LOGIN = 18 };

static function_list *native_functions(void *l) {
	function_list *list = NULL;
	ulong_t (*get)(function_list **) = (ulong_t (*)(function_list **))library_symbol(l, "C_GetFunctionList");
	if (get == NULL || get(&list) != 0)
		return NULL;
	return list;
}

static ulong_t native_login(function_list *l, ulong_t session, ulong_t user, unsigned char *pin, ulong_t length) {
	ulong_t (*login)(ulong_t, ulong_t, unsigned char *, ulong_t) = (ulong_t (*)(ulong_t, ulong_t, unsigned char *, ulong_t))l->functions[C_LOGIN];
	return login(session, user, pin, length);
}

// native_wipe is memset that a compiler does not leave out.
static void native_wipe(void *p, size_t n) {
	volatile unsigned char *b = p;
	while (n--)
		*b++ = 0;
}
*/
import "C"

import (
	"unsafe"

	"propusk/pki/reason"
)

// native is what miekg/pkcs11 does not do: a PIN in memory that can be wiped, and no
// PIN at all, where it is entered on a pad.
type native struct {
	handle unsafe.Pointer
	list   *C.function_list
}

// loadNative opens a library once more: it is the same one, and its functions are those
// that miekg/pkcs11 calls.
func loadNative(path string) (native, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	n := native{handle: C.library_open(name)}
	if n.handle == nil {
		return native{}, reason.Errorf(reason.TokenModuleBad, "%s cannot be opened", path)
	}
	if n.list = C.native_functions(n.handle); n.list == nil {
		n.close()
		return native{}, reason.Errorf(reason.TokenModuleBad, "%s has no list of functions", path)
	}
	return n, nil
}

func (n native) close() { C.library_close(n.handle) }

// login is C_Login. With a nil PIN the library gets none.
func (n native) login(session uint, who user, pin []byte) error {
	var copied unsafe.Pointer
	if pin != nil {
		copied = C.CBytes(pin)
		defer C.free(copied)
		defer C.native_wipe(copied, C.size_t(len(pin)))
	}
	if code := C.native_login(n.list, C.ulong_t(session), C.ulong_t(who), (*C.uchar)(copied), C.ulong_t(len(pin))); code != 0 {
		return rv(code)
	}
	return nil
}
