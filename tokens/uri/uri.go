// Package uri reads PKCS #11 URIs (RFC 7512), which name a key, a certificate or a
// secret in a token, with the library and the PIN file by which it is reached:
//
//	pkcs11:token=Gateway;object=tls?module-path=/usr/lib/librtpkcs11ecp.so&pin-source=file:/etc/propusk/pin
//
// It is stricter than the RFC where a mistake could choose another key than the one
// that was meant: attributes that it does not know, of vendors too, are refused, and so
// is a PIN in the URI itself.
package uri

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits in bytes, of the text and of one decoded value: labels of tokens have 32, and
// a URI is written by hand.
const (
	maxURI   = 4096
	maxValue = 1024
)

const scheme = "pkcs11:"

// Type is the class of an object.
type Type string

// The classes that RFC 7512, Section 2.3, names. The empty one is any.
const (
	Public  Type = "public"
	Private Type = "private"
	Cert    Type = "cert"
	Secret  Type = "secret-key"
	Data    Type = "data"
)

// URI is a PKCS #11 URI. Fields that are empty are not in it, and fit anything.
type URI struct {
	// What CK_TOKEN_INFO says of the token, without padding.
	Token, Serial, Manufacturer, Model string

	// Slot is the number of the slot, if HasSlot. Libraries number slots as they like:
	// serials are better.
	Slot    uint64
	HasSlot bool

	Object string // CKA_LABEL
	ID     []byte // CKA_ID
	Type   Type

	// What CK_INFO says of the library.
	LibraryManufacturer, LibraryDescription, LibraryVersion string

	// ModulePath is the library, ModuleName its name without path, "lib" and suffix;
	// at most one of them is there.
	ModulePath, ModuleName string

	// PINFile is the file with the PIN: the path of pin-source=file:PATH. It may be
	// relative.
	PINFile string
}

// IsZero reports whether the URI says nothing.
func (u URI) IsZero() bool { return u.String() == scheme }

// Is reports whether a text means to be a PKCS #11 URI, good or bad, and not the path of
// a file.
func Is(s string) bool {
	return len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme)
}

// ErrPINValue refuses a PIN in a URI.
var ErrPINValue = errors.New("pkcs11 URI: pin-value: a PIN does not belong in a URI, which configuration files, lists of processes and logs show; " +
	"put it into a file and name that: pin-source=file:/etc/…")

// Parse reads a URI. It is an error if an attribute is unknown, is there twice, or is
// not written as RFC 7512, Section 2.3, wants. Errors do not show values, one of which
// could be a PIN.
func Parse(s string) (URI, error) {
	if len(s) > maxURI {
		return URI{}, fmt.Errorf("pkcs11 URI: it is longer than %d bytes", maxURI)
	}
	if !Is(s) {
		return URI{}, errors.New("pkcs11 URI: the scheme is missing")
	}
	path, query, hasQuery := strings.Cut(s[len(scheme):], "?")
	var u URI
	if err := u.read(path, ";", isPathChar, u.pathAttribute); err != nil {
		return URI{}, err
	}
	if hasQuery {
		if err := u.read(query, "&", isQueryChar, u.queryAttribute); err != nil {
			return URI{}, err
		}
	}
	if u.ModulePath != "" && u.ModuleName != "" {
		return URI{}, errors.New("pkcs11 URI: module-path and module-name are both there; one is enough")
	}
	return u, nil
}

// read takes a component apart into attributes, each of which may be there once.
func (u *URI) read(component, separator string, allowed func(byte) bool, set func(name, value string) error) error {
	if component == "" {
		return nil
	}
	seen := map[string]bool{}
	for attribute := range strings.SplitSeq(component, separator) {
		name, raw, ok := strings.Cut(attribute, "=")
		switch {
		case !ok || name == "":
			return fmt.Errorf("pkcs11 URI: attribute %d is not name=value", len(seen)+1)
		case !isName(name):
			return fmt.Errorf("pkcs11 URI: attribute %d has a name that is not one", len(seen)+1)
		case seen[name]:
			return fmt.Errorf("pkcs11 URI: %s is there twice", name)
		}
		seen[name] = true
		value, err := decode(raw, allowed)
		if err == nil {
			err = set(name, value)
		}
		if errors.Is(err, ErrPINValue) {
			return err
		}
		if err != nil {
			return fmt.Errorf("pkcs11 URI: %s: %w", name, err)
		}
	}
	return nil
}

var (
	errUnknown = errors.New("this attribute is not known here, and could mean another key; leave it out")
	errValue   = errors.New("there is a character that must be percent-encoded")
	errEmpty   = errors.New("the value is empty; leave the attribute out")
	errText    = errors.New("the value is not UTF-8, or has control characters")
)

// texts are the attributes of the path that are plain text.
func (u *URI) texts() map[string]*string {
	return map[string]*string{
		"token": &u.Token, "serial": &u.Serial, "manufacturer": &u.Manufacturer, "model": &u.Model, "object": &u.Object,
		"library-manufacturer": &u.LibraryManufacturer, "library-description": &u.LibraryDescription,
		"library-version": &u.LibraryVersion,
	}
}

func (u *URI) pathAttribute(name, value string) error {
	if value == "" {
		return errEmpty // RFC 7512 lets it mean an empty label: nothing to find a key by
	}
	switch name {
	case "id":
		u.ID = []byte(value)
		return nil
	case "type":
		u.Type = Type(value)
		if !slices.Contains([]Type{Public, Private, Cert, Secret, Data}, u.Type) {
			return errors.New("it is none of public, private, cert, secret-key, data")
		}
		return nil
	case "slot-id":
		n, err := strconv.ParseUint(value, 10, 64)
		if err != nil || strconv.FormatUint(n, 10) != value {
			return errors.New("it is no number of a slot")
		}
		u.Slot, u.HasSlot = n, true
		return nil
	}
	field := u.texts()[name]
	if field == nil {
		return errUnknown
	}
	if !isText(value) {
		return errText
	}
	*field = value
	return nil
}

func (u *URI) queryAttribute(name, value string) error {
	if name == "pin-value" {
		return ErrPINValue
	}
	if value == "" {
		return errEmpty
	}
	if !isText(value) {
		return errText
	}
	switch name {
	case "module-path":
		u.ModulePath = value
	case "module-name":
		if strings.ContainsAny(value, `/\`) {
			return errors.New("a path is module-path")
		}
		u.ModuleName = value
	case "pin-source":
		return u.pinSource(value)
	default:
		return errUnknown
	}
	return nil
}

// pinSource takes the URI of a file: file:/path, file:///path or, which RFC 8089 does not
// have, file:relative/path. RFC 7512, Section 2.4, allows to refuse what else it may be.
func (u *URI) pinSource(value string) error {
	if strings.HasPrefix(value, "|") {
		return errors.New("a command is not run; name a file: file:/etc/…")
	}
	path, ok := strings.CutPrefix(value, "file:")
	if !ok {
		return errors.New("it must name a file: file:/etc/…")
	}
	if rest, ok := strings.CutPrefix(path, "//"); ok {
		host, local, found := strings.Cut(rest, "/")
		if !found || host != "" && host != "localhost" {
			return errors.New("the file must be of this machine: file:/etc/… or file:///etc/…")
		}
		path = "/" + local
	}
	if path == "" || strings.HasSuffix(path, "/") {
		return errors.New("it names no file")
	}
	u.PINFile = path
	return nil
}

// String writes the URI, so that Parse reads the same. It says nothing that is secret.
func (u URI) String() string {
	var path, query []string
	add := func(to *[]string, allowed func(byte) bool, name, value string) {
		if value != "" {
			*to = append(*to, name+"="+encode(value, allowed))
		}
	}
	slot := ""
	if u.HasSlot {
		slot = strconv.FormatUint(u.Slot, 10)
	}
	for _, a := range [][2]string{
		{"library-manufacturer", u.LibraryManufacturer}, {"library-description", u.LibraryDescription},
		{"library-version", u.LibraryVersion}, {"manufacturer", u.Manufacturer}, {"model", u.Model}, {"serial", u.Serial},
		{"token", u.Token}, {"slot-id", slot}, {"object", u.Object},
	} {
		add(&path, isPathChar, a[0], a[1])
	}
	add(&path, func(byte) bool { return false }, "id", string(u.ID))
	add(&path, isPathChar, "type", string(u.Type))
	add(&query, isQueryChar, "module-path", u.ModulePath)
	add(&query, isQueryChar, "module-name", u.ModuleName)
	if u.PINFile != "" {
		file := u.PINFile
		if strings.HasPrefix(file, "//") {
			file = "//" + file // or its first directory would be taken for a host
		}
		add(&query, isQueryChar, "pin-source", "file:"+file)
	}
	s := scheme + strings.Join(path, ";")
	if len(query) > 0 {
		s += "?" + strings.Join(query, "&")
	}
	return s
}

// Name is a word for people about the object: its label, else its identifier.
func (u URI) Name() string {
	return cmp.Or(u.Object, hex.EncodeToString(u.ID), "pkcs11")
}

// decode undoes the percent-encoding.
func decode(s string, allowed func(byte) bool) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%':
			if i+2 >= len(s) {
				return "", errors.New("a percent sign without two digits")
			}
			raw, err := hex.DecodeString(s[i+1 : i+3])
			if err != nil {
				return "", errors.New("a percent sign without two digits")
			}
			b.WriteByte(raw[0])
			i += 2
		case allowed(c):
			b.WriteByte(c)
		default:
			return "", errValue
		}
	}
	if b.Len() > maxValue {
		return "", fmt.Errorf("the value is longer than %d bytes", maxValue)
	}
	return b.String(), nil
}

func encode(s string, allowed func(byte) bool) string {
	var b strings.Builder
	for i := range len(s) {
		if allowed(s[i]) {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
	}
	return b.String()
}

func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// isPathChar and isQueryChar are pk11-pchar and pk11-qchar of RFC 7512, Section 2.3.
func isPathChar(c byte) bool { return isUnreserved(c) || strings.IndexByte(":[]@!$'()*+,=&", c) >= 0 }
func isQueryChar(c byte) bool {
	return isUnreserved(c) || strings.IndexByte(":[]@!$'()*+,=/?|", c) >= 0
}

func isName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isUnreserved(c) || c == '.' || c == '~' {
			return false
		}
	}
	return s != ""
}

// isText reports whether a value can be what a token says, and can be shown.
func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
