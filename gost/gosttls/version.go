package gosttls

import (
	"slices"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
)

// firstOffered returns the first suite that the client offers.
func firstOffered(suites []*record.Suite, offered []uint16) (*record.Suite, bool) {
	for _, suite := range suites {
		if slices.Contains(offered, suite.ID) {
			return suite, true
		}
	}
	return nil, false
}

// versions returns the versions that a configuration allows, the last one first.
func (c *Config) versions() []uint16 {
	var all []uint16
	for v := VersionTLS13; v >= VersionTLS10; v-- {
		if c.speaks(v) {
			all = append(all, v)
		}
	}
	return all
}

// offers13 reports whether a client offers TLS 1.3 with any suite, GOST or not. The
// number in the hello itself means nothing there (RFC 8446, Section 4.2.1).
func offers13(hello *message.ClientHello) bool {
	return slices.Contains(hello.Known.Versions, VersionTLS13)
}

// answers13 reports whether a server answers a hello with TLS 1.3. The suite is looked
// at before the version: a client that offers TLS 1.3, but GOST only for TLS 1.2, wants
// GOST.
func (c *Config) answers13(hello *message.ClientHello) bool {
	_, ok := firstOffered(c.suitesOf(VersionTLS13), hello.CipherSuites)
	return ok && offers13(hello)
}

// markDowngrade writes into the random of a server that it speaks less than it could
// (RFC 8446, Section 4.1.3). There is one exception: a client that offers TLS 1.3, but
// no GOST suite for it, gets GOST with TLS 1.2 unmarked. The probe of Chromium-Gost is
// such a hello, and BoringSSL would take the mark for an attack before it looks at the
// suite.
func (c *Config) markDowngrade(version uint16, hello *message.ClientHello, random *[message.RandomSize]byte) {
	switch {
	case version < VersionTLS12 && (c.speaks(VersionTLS12) || c.speaks(VersionTLS13)):
		message.MarkDowngrade(random, message.DowngradeTo11)
	case version == VersionTLS12 && c.speaks(VersionTLS13) && !wantsOldGOST(hello):
		message.MarkDowngrade(random, message.DowngradeTo12)
	}
}

// wantsOldGOST reports whether a client offers TLS 1.3, but none of its GOST suites.
func wantsOldGOST(hello *message.ClientHello) bool {
	return offers13(hello) && !slices.ContainsFunc(hello.CipherSuites, func(id uint16) bool {
		suite, ok := record.SuiteByID(id)
		return ok && suite.Version13
	})
}
