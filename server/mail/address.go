package mail

import (
	netmail "net/mail"
	"strings"
	"unicode"
)

// maxAddress and maxLocal are how long an address and what stands before its "@" may be, in
// bytes. RFC 5321, Section 4.5.3.1.
const (
	maxAddress = 254
	maxLocal   = 64
)

// Deliverable reports whether a letter can be sent to s: one plain address in ASCII, of a
// domain with a dot. RFC 5321, Section 4.1.2, without quoted names and numbers of machines.
func Deliverable(s string) bool {
	if len(s) > maxAddress || strings.ContainsFunc(s, func(c rune) bool {
		return c > unicode.MaxASCII || c <= ' ' || strings.ContainsRune(`"<>()[],;:\`, c)
	}) {
		return false
	}
	if a, err := netmail.ParseAddress(s); err != nil || a.Address != s {
		return false
	}
	local, domain, _ := strings.Cut(s, "@")
	if len(local) > maxLocal || !strings.Contains(domain, ".") {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "-") != label || strings.ContainsFunc(label, func(c rune) bool {
			return c != '-' && !unicode.IsLetter(c) && !unicode.IsDigit(c)
		}) {
			return false
		}
	}
	return true
}
