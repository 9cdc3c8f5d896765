package tokens

import (
	"os"
	"runtime"
	"strings"
)

// Model is what we know of a kind of token beyond what it says of itself: names for
// people and the ways in which libraries differ. It is data; the zero value is a token
// that nobody knows, which is taken to follow the standard.
type Model struct {
	ID     string // "rutoken-ecp": of logs and JSON; empty: not known
	Vendor string // "Актив"
	RU, EN string // name for people

	// GOST is what it can do with GOST R 34.10-2012 when all is well: what is missing of
	// it is worth telling. A token of a model without any has no use here.
	GOST256, GOST512 bool

	// SignsOnly says that it signs, and is not to be asked to verify or to agree on keys:
	// OpenSC takes seconds to refuse, and takes the key of somebody else for one to be
	// written to the card.
	SignsOnly bool
	// Agreement is how it agrees on keys; zero: not at all, or nobody knows.
	Agreement AgreementForm
	// KEG says that it has CKM_GOST_KEG (RFC 9189, 8.3.1).
	KEG bool

	// Params512 is the attribute with the parameter set of a key of 512 bits, where that
	// is not CKA_GOSTR3410_PARAMS; zero is the standard.
	Params512 uint
	// Wrapped says that CKA_VALUE of a public key is in an OCTET STRING.
	Wrapped bool
	// DataCertificates says that its library shows no certificates of GOST R 34.10-2012, so
	// that they are kept as data objects.
	DataCertificates bool
	// SignaturePIN says that there is a second PIN, which is asked for at each signature:
	// CKU_CONTEXT_SPECIFIC, whether or not a key has CKA_ALWAYS_AUTHENTICATE.
	SignaturePIN bool

	MinPIN, MaxPIN int // bytes; zero: what the token says
	Tries          int // wrong PINs that lock it when it is new; zero: not known
	// TriesByFlags says that nothing but the flags of CK_TOKEN_INFO tells how many tries
	// are left: few, one, none.
	TriesByFlags bool

	Notes []Note // what people should know of it
}

// Note is something about a model that a person should know, in both languages.
type Note struct{ RU, EN string }

// AgreementForm is how a token wants the parameter of VKO.
type AgreementForm uint8

// The forms that are known.
const (
	// AgreementNone: it has no VKO, or nobody knows how it wants it.
	AgreementNone AgreementForm = iota
	// AgreementFlat: CKM_GOSTR3410_12_DERIVE of TC26 with everything in one piece of
	// memory: the function, the length of the public key, the key, the length of the UKM,
	// the UKM. Rutoken, and our soft token.
	AgreementFlat
	// AgreementPointers: CKM_GOSTR3410_DERIVE of PKCS #11 v2.30 with pointers to the key
	// and the UKM. JaCarta.
	AgreementPointers
)

// String returns a word for logs and JSON.
func (f AgreementForm) String() string { return [...]string{"none", "flat", "pointers"}[f] }

// mark is how a model is recognised: beginnings of what the token says, without regard
// to case. All that are not empty must fit.
type mark struct {
	library      string // CK_INFO.manufacturerID
	manufacturer string // CK_TOKEN_INFO.manufacturerID
	model        string // CK_TOKEN_INFO.model
}

func (m mark) fits(library, manufacturer, model string) bool {
	begins := func(s, prefix string) bool {
		return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
	}
	return begins(library, m.library) && begins(manufacturer, m.manufacturer) && begins(model, m.model)
}

// ModelOf returns what is known of a token whose CK_TOKEN_INFO has the given
// manufacturer and model, through a library whose CK_INFO has the given manufacturer,
// which may be empty. It is safe for concurrent use.
func ModelOf(library, manufacturer, model string) Model {
	for _, known := range models() {
		for _, m := range known.marks {
			if m.fits(library, manufacturer, model) {
				return known.Model
			}
		}
	}
	return Model{}
}

// Known reports whether the model is one of our table.
func (m Model) Known() bool { return m.ID != "" }

// About returns what is known of tokens of this kind.
func (t *Token) About() Model {
	library := ""
	if info, err := t.module.Info(); err == nil { // without it fewer are recognised
		library = info.Manufacturer
	}
	return ModelOf(library, t.info.manufacturer, t.info.model)
}

// Library is a PKCS#11 library of a vendor and where its installer puts it.
type Library struct {
	Vendor string   // "Актив"
	Name   string   // "Rutoken ECP"
	Paths  []string // absolute; the first that exists is used
}

// InstalledLibraries returns the libraries that this machine has, each with the one
// path that was found.
func InstalledLibraries() []Library {
	return installed(Libraries(runtime.GOOS), func(path string) bool {
		st, err := os.Stat(path)
		return err == nil && st.Mode().IsRegular()
	})
}

func installed(known []Library, exists func(string) bool) []Library {
	var found []Library
	for _, l := range known {
		for _, path := range l.Paths {
			if exists(path) {
				found = append(found, Library{l.Vendor, l.Name, []string{path}})
				break
			}
		}
	}
	return found
}
