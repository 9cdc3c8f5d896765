package pcsc

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
)

// Family is a kind of token or card as far as its answer-to-reset tells. It is not the
// model: Рутокен ЭЦП 2.0 and 3.0 answer the same, and so does all of JaCarta.
type Family string

// The families.
const (
	RutokenECP    Family = "rutoken-ecp"
	RutokenECP3   Family = "rutoken-ecp3"
	Rutoken2151   Family = "rutoken-2151"
	RutokenPINPad Family = "rutoken-pinpad"
	RutokenLite   Family = "rutoken-lite"
	RutokenS      Family = "rutoken-s"
	JaCarta       Family = "jacarta"
	JaCartaLT     Family = "jacarta-lt"
	ETokenJava    Family = "etoken-java"
	ETokenCardOS  Family = "etoken-cardos"
	UEC           Family = "uec"
	ESMARTGOST    Family = "esmart-gost"
	ESMART        Family = "esmart"
	MSKey         Family = "mskey"
	Magistra      Family = "magistra"
	CryptoProFKC  Family = "cp-fkc"
	Kaztoken      Family = "kaztoken"
	Avest         Family = "avest"
	BelarusID     Family = "by-id"
)

// Signing says whether a family signs by itself with GOST R 34.10.
type Signing uint8

// The answers.
const (
	SigningUnknown Signing = iota
	Signs                  // the key never leaves it
	SignsByApplet          // some of the family do, and [Identify] tells which
	Stores                 // it only keeps a key, for another program to use
)

// About is what there is to say of a family. Texts are for people.
type About struct {
	Vendor         string // as in tokens.Library; empty if there is no PKCS#11 library for it
	RU, EN         string // name
	Signing        Signing
	HelpRU, HelpEN string // what to install, and what to do then
}

// row is a line of the table of ATRs. Bits of the mask that are zero may be anything.
type row struct {
	atr, mask string // hex; no mask: every bit counts
	family    Family
}

// About returns what there is to say of a family; the zero value of one that is not
// known.
func (f Family) About() About { return abouts()[f] }

// FamilyOf recognises an answer-to-reset. A row of the table that fits bit by bit goes
// before one that fits under a mask.
func FamilyOf(atr []byte) (Family, bool) {
	table := rows()
	for _, r := range table {
		if bytes.Equal(unhex(r.atr), atr) {
			return r.family, true
		}
	}
	for _, r := range table {
		if r.mask != "" && fits(atr, unhex(r.atr), unhex(r.mask)) {
			return r.family, true
		}
	}
	return "", false
}

// unhex reads a constant of the table.
func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic("pcsc: " + err.Error())
	}
	return b
}

func fits(atr, want, mask []byte) bool {
	if len(atr) != len(want) || len(mask) != len(want) {
		return false
	}
	for i := range atr {
		if (atr[i]^want[i])&mask[i] != 0 {
			return false
		}
	}
	return true
}

// FamilyOfReader guesses from the name of a reader that is a token itself what is in it,
// for when the card does not answer or is not known. Readers for cards of any kind are
// not guessed.
func FamilyOfReader(name string) (Family, bool) {
	i := slices.IndexFunc(readerNames, func(n readerName) bool { return strings.HasPrefix(name, n.prefix) })
	if i < 0 || readerNames[i].family == "" {
		return "", false
	}
	return readerNames[i].family, true
}

// readerName is how the name of a token's reader starts, as the CCID driver and Windows
// have it.
type readerName struct {
	prefix string
	usb    string // vendor and product
	family Family
}

// Longer names go before the shorter that they start with. Source: Info.plist of
// libccid 1.5.2, and of Aktiv's rutokens-driver.
var readerNames = []readerName{
	{"Aktiv Rutoken lite", "0a89:0025", RutokenLite},
	{"Aktiv Rutoken ECP", "0a89:0030", RutokenECP},
	{"Aktiv PINPad", "0a89:0080", RutokenPINPad},
	{"Aktiv Co. Rutoken S", "0a89:0020", RutokenS},
	{"Aladdin R.D. JaCarta LT", "24dc:0102", JaCartaLT},
	{"Aladdin R.D. JaCartaReader", "24dc:0428", ""}, // for cards of any kind
	{"Aladdin R.D. JaCarta", "24dc:0101", JaCarta},
	{"ESMART Token GOST", "2ce4:7479", ESMARTGOST},
	{"SafeNet eToken", "0529:0620", ETokenJava},
}
