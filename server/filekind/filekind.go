// Package filekind tells what a file that a person has sent is, by its first bytes: a
// signature, a private key, or one of the many things that are sent by mistake.
package filekind

import (
	"bytes"
	"encoding/base64"

	"propusk/pki/reason"
)

// What a file is besides the reasons that refuse it. It decides nothing but which words a
// person gets who sent the wrong file, so it need not be sure.
const (
	// Unknown is a file that is none of those that are known.
	Unknown reason.Code = ""
	// Signature is what looks like a CMS SignedData.
	Signature reason.Code = "signature"
)

// HeadLength is how many bytes of a file are looked at, but for PEM, which is looked for in
// all that there is.
const HeadLength = 4 << 10

// Of returns Signature for what looks like a CMS SignedData, the reason for
// what is known to be something else, and Unknown for the rest.
func Of(file []byte) reason.Code {
	if len(file) == 0 {
		return Unknown
	}
	if file[0] == tagSequence {
		return kindOfDER(file)
	}
	if kind := kindByMagic(file); kind != Unknown {
		return kind
	}
	if bytes.Contains(file, []byte("-----BEGIN ")) {
		return kindOfPEM(file)
	}
	if der := headOfBase64(file); len(der) > 0 && der[0] == tagSequence {
		return kindOfDER(der)
	}
	return Unknown
}

// Secret returns the reason to refuse a file that holds a private key, wherever it was
// sent; empty for any other.
func Secret(file []byte) reason.Code {
	switch kind := Of(file); kind {
	case reason.FileIsPrivateKey, reason.FileIsPKCS12:
		return kind
	default:
		return ""
	}
}

// kindByMagic knows files by the bytes that they begin with.
func kindByMagic(file []byte) reason.Code {
	for _, known := range []struct {
		kind  reason.Code
		magic []string
	}{
		{reason.FileIsArchive, []string{"PK\x03\x04", "PK\x05\x06", "Rar!\x1a\x07", "7z\xbc\xaf\x27\x1c", "\x1f\x8b\x08"}},
		{reason.FileIsPDF, []string{"%PDF-", "\xef\xbb\xbf%PDF-"}},
		{reason.FileIsDocument, []string{"\x89PNG\r\n", "\xff\xd8\xff", "GIF8", "II*\x00", "MM\x00*", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", `{\rtf`}},
		{reason.FileIsXML, []string{"\xff\xfe<\x00", "\xfe\xff\x00<"}},
	} {
		for _, magic := range known.magic {
			if bytes.HasPrefix(file, []byte(magic)) {
				return known.kind
			}
		}
	}
	if text := bytes.TrimLeft(bytes.TrimPrefix(file, []byte("\xef\xbb\xbf")), " \t\r\n"); len(text) > 1 && text[0] == '<' {
		return reason.FileIsXML
	}
	return Unknown
}

// kindOfPEM goes by the labels (RFC 7468). A private key counts even beside something
// else.
func kindOfPEM(file []byte) reason.Code {
	kind := Unknown
	for rest := file; ; {
		_, after, found := bytes.Cut(rest, []byte("-----BEGIN "))
		if !found {
			return kind
		}
		rest = after
		label, _, closed := bytes.Cut(after[:min(len(after), 80)], []byte("-----"))
		if !closed {
			continue
		}
		if bytes.Contains(label, []byte("PRIVATE KEY")) {
			return reason.FileIsPrivateKey
		}
		if kind != Unknown {
			continue
		}
		switch string(label) {
		case "CMS", "PKCS7", "PKCS #7 SIGNED DATA":
			kind = Signature
		case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
			kind = reason.FileIsCertificate
		case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
			kind = reason.FileIsCertificateRequest
		case "X509 CRL":
			kind = reason.FileIsCRL
		}
	}
}

// headOfBase64 decodes the beginning of a file of base64; nil if it is none.
func headOfBase64(file []byte) []byte {
	head := bytes.TrimPrefix(file[:min(len(file), HeadLength)], []byte("\xef\xbb\xbf"))
	compact := make([]byte, 0, len(head))
	for _, c := range head {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			compact = append(compact, c)
		}
	}
	der := make([]byte, base64.StdEncoding.DecodedLen(len(compact)))
	n, err := base64.StdEncoding.Decode(der, compact[:len(compact)/4*4])
	if err != nil {
		return nil
	}
	return der[:n]
}

// Tags of ASN.1 that tell files apart.
const (
	tagInteger     = 0x02
	tagOctetString = 0x04
	tagOID         = 0x06
	tagSequence    = 0x30
	tagSet         = 0x31
	tagExplicit0   = 0xa0
)

// element is one element of DER or BER, as much of it as there is.
type element struct {
	tag   byte
	value []byte
}

// next cuts the first element off. The zero element stands for nothing or for what
// cannot be read.
func next(data []byte) (e element, rest []byte) {
	if len(data) < 2 {
		return element{}, nil
	}
	header, length := 2, int(data[1])
	if length > 0x80 {
		count := length & 0x7f
		if header += count; count > 4 || len(data) < header {
			return element{}, nil
		}
		length = 0
		for _, b := range data[2:header] {
			length = length<<8 | int(b)
		}
	}
	if data[1] == 0x80 || length > len(data)-header { // indefinite, or cut off
		return element{data[0], data[header:]}, nil
	}
	return element{data[0], data[header : header+length]}, data[header+length:]
}

// inside returns the first two elements of a constructed one.
func (e element) inside() (first, second element) {
	first, rest := next(e.value)
	second, _ = next(rest)
	return first, second
}

// Object identifiers at the beginning of files, without their tag and length.
const (
	oidPKCS7       = "\x2a\x86\x48\x86\xf7\x0d\x01\x07"             // 1.2.840.113549.1.7
	oidPBES2       = "\x2a\x86\x48\x86\xf7\x0d\x01\x05"             // 1.2.840.113549.1.5
	oidPBEPKCS12   = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01"         // 1.2.840.113549.1.12.1
	oidContainer   = "\x2a\x85\x03\x02\x02\x25"                     // 1.2.643.2.2.37: containers of CryptoPro CSP
	oidAuthEnvelop = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17" // 1.2.840.113549.1.9.16.1.23
)

// kindOfDER tells structures apart by the shape of their beginning.
func kindOfDER(file []byte) reason.Code {
	whole, _ := next(file)
	first, second := whole.inside()
	switch first.tag {
	case tagOID:
		return kindOfContentInfo(string(first.value))
	case tagOctetString:
		// primary.key and masks.key of a container of CryptoPro CSP.
		if n := len(first.value); n == 32 || n == 64 {
			return reason.FileIsPrivateKey
		}
	case tagInteger:
		return kindOfNumbered(first, second)
	case tagSequence:
		return kindOfNested(first, second)
	}
	return Unknown
}

// kindOfContentInfo is for RFC 5652, Section 3.
func kindOfContentInfo(oid string) reason.Code {
	switch oid {
	case oidPKCS7 + "\x02":
		return Signature
	case oidPKCS7 + "\x03", oidPKCS7 + "\x04", oidPKCS7 + "\x06", oidAuthEnvelop:
		return reason.FileIsEncrypted
	}
	return Unknown
}

// kindOfNumbered is for structures that begin with a version: private keys (RFC 5208,
// RFC 5915, RFC 8017) and PKCS #12 (RFC 7292, Section 4).
func kindOfNumbered(version, second element) reason.Code {
	inner, _ := second.inside()
	switch {
	case len(version.value) != 1:
	case version.value[0] == 3 && second.tag == tagSequence && inner.tag == tagOID:
		return reason.FileIsPKCS12
	case version.value[0] <= 1 && second.tag == tagSequence && inner.tag == tagOID,
		version.value[0] == 1 && second.tag == tagOctetString,
		version.value[0] == 0 && second.tag == tagInteger:
		return reason.FileIsPrivateKey
	}
	return Unknown
}

// kindOfNested is for structures that begin with a structure.
func kindOfNested(first, second element) reason.Code {
	a, b := first.inside()
	beginsB, _ := b.inside()
	inner, _ := next(a.value)
	switch {
	case a.tag == tagExplicit0 && hasPrefix(inner.value, oidContainer),
		a.tag == tagOID && second.tag == tagOctetString && hasPrefix(a.value, oidContainer):
		return reason.FileIsPrivateKey
	case a.tag == tagExplicit0:
		return reason.FileIsCertificate // RFC 5280, Section 4.1
	case a.tag == tagOID && second.tag == tagOctetString && hasPrefix(a.value, oidPBES2, oidPBEPKCS12):
		return reason.FileIsPrivateKey // RFC 5958, Section 3: encrypted
	case a.tag == tagInteger && second.tag == tagSequence && string(leadingOID(second)) == oidPKCS7+"\x02":
		return reason.FileIsTimeStamp // RFC 3161, Section 2.4.2
	case a.tag == tagInteger && b.tag == tagSequence && string(a.value) == "\x01" && beginsB.tag == tagOID:
		return reason.FileIsCRL // RFC 5280, Section 5.1
	case a.tag == tagInteger && b.tag == tagSequence && string(a.value) == "\x00" && (beginsB.tag == tagSet || len(b.value) == 0):
		return reason.FileIsCertificateRequest // RFC 2986, Section 4
	}
	return Unknown
}

// leadingOID returns the object identifier that an element begins with.
func leadingOID(e element) []byte {
	if first, _ := e.inside(); first.tag == tagOID {
		return first.value
	}
	return nil
}

func hasPrefix(value []byte, prefixes ...string) bool {
	for _, p := range prefixes {
		if bytes.HasPrefix(value, []byte(p)) {
			return true
		}
	}
	return false
}
