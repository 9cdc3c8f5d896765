package gosttls

import (
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
)

// ClientHelloInfo is what a client said about itself first, for
// Config.GetCertificate. Nothing of it is proven. The slices are shared: do not
// modify them.
type ClientHelloInfo struct {
	ServerName   string   // of server_name, empty if there is none
	CipherSuites []uint16 // in the client's order, signalling values included
	Groups       []uint16 // of supported_groups, nil if absent
	Schemes      []uint16 // of signature_algorithms, nil if absent
	Versions     []uint16 // of supported_versions, nil if absent

	// Conn is the connection below. Do not read or write there.
	Conn net.Conn
}

func newClientHelloInfo(hello *message.ClientHello, conn net.Conn) *ClientHelloInfo {
	return &ClientHelloInfo{
		ServerName:   hello.Known.ServerName,
		CipherSuites: hello.CipherSuites,
		Groups:       hello.Known.Groups,
		Schemes:      hello.Known.Schemes,
		Versions:     hello.Known.Versions,
		Conn:         conn,
	}
}

// serves reports whether a server and a client have a version, a suite and a curve in
// common.
func (c *Config) serves(hello *message.ClientHello) bool {
	var ok bool
	if c.answers13(hello) {
		if !slices.ContainsFunc(groups(c.curves()), func(id uint16) bool { return slices.Contains(hello.Known.Groups, id) }) {
			return false
		}
		_, _, ok = chooseCertificate13(c.Certificates, hello.Known)
	} else {
		_, suite, err := c.chooseSuite(hello)
		if err != nil {
			return false
		}
		_, _, ok = chooseCertificate(c.Certificates, suite, hello.Known)
	}
	return ok || c.GetCertificate != nil
}

// chooseCertificate takes the certificate that suits the client best. Its key must do
// what the suite wants, and its curve be one that the client can use. Among those, certificates come first whose key is of
// a size for which the client names a signature scheme, then those that carry the name
// the client asks for, then the order of the configuration.
//
// The certificate is never refused because of the schemes: RFC 9189, Section 4.2.1,
// allows to ignore them, and clients that take GOST from a cryptographic provider do
// not name them.
func chooseCertificate(all []Certificate, suite *record.Suite, known message.Known) (Certificate, *gost3410.Curve, bool) {
	var best Certificate
	var bestCurve *gost3410.Curve
	bestRank := 0
	for _, cert := range all {
		curve, err := cert.curve()
		if err != nil || !cert.does(suite) || !usable(curve, known.Groups) {
			continue // the error was refused by Config.check before the handshake
		}
		rank := 1
		if verifiable(curve, known.Schemes) {
			rank += 2
		}
		if len(all) > 1 && known.ServerName != "" && cert.carries(known.ServerName) {
			rank++
		}
		if rank > bestRank {
			best, bestCurve, bestRank = cert, curve, rank
		}
	}
	return best, bestCurve, bestRank > 0
}

// usable reports whether a client can use a curve. A client that names no GOST curve
// in supported_groups can use any: the extension is younger than the suites (RFC 9189,
// Section 6).
func usable(c *gost3410.Curve, groups []uint16) bool {
	return !slices.ContainsFunc(groups, isGOSTGroup) || slices.Contains(groups, group(c))
}

// verifiable reports whether a client that names GOST schemes names one for keys on
// the curve.
func verifiable(c *gost3410.Curve, schemes []uint16) bool {
	named := false
	for _, s := range schemes {
		switch size := schemeSize(s); size {
		case 0:
		case c.Size():
			return true
		default:
			named = true
		}
	}
	return !named
}

// carries reports whether the leaf has a subjectAltName that matches a host name (RFC
// 6125, Section 6.4). A certificate that cannot be read carries nothing.
func (c Certificate) carries(host string) bool {
	if len(c.Chain) == 0 {
		return false
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return slices.ContainsFunc(dnsNames(c.Chain[0]), func(name string) bool {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		if suffix, ok := strings.CutPrefix(name, "*"); ok {
			label, rest, found := strings.Cut(host, ".")
			return found && label != "" && suffix == "."+rest
		}
		return name == host
	})
}

// oidSubjectAltName is the content of the object identifier 2.5.29.17.
var oidSubjectAltName = []byte{0x55, 0x1d, 0x11}

// dnsNames returns the names of type dNSName of a certificate's subjectAltName (RFC
// 5280, Section 4.2.1.6), nil if there are none. It is lenient: the names only help to
// choose among certificates of our own.
func dnsNames(cert []byte) []string {
	der := cryptobyte.String(cert)
	var whole, tbs, wrapped, extensions cryptobyte.String
	var present bool
	if !der.ReadASN1(&whole, asn1.SEQUENCE) || !whole.ReadASN1(&tbs, asn1.SEQUENCE) ||
		!tbs.SkipOptionalASN1(asn1.Tag(0).Constructed().ContextSpecific()) { // version
		return nil
	}
	// serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo.
	for _, tag := range []asn1.Tag{asn1.INTEGER, asn1.SEQUENCE, asn1.SEQUENCE, asn1.SEQUENCE, asn1.SEQUENCE, asn1.SEQUENCE} {
		if !tbs.SkipASN1(tag) {
			return nil
		}
	}
	// issuerUniqueID, subjectUniqueID.
	if !tbs.SkipOptionalASN1(asn1.Tag(1).ContextSpecific()) || !tbs.SkipOptionalASN1(asn1.Tag(2).ContextSpecific()) ||
		!tbs.ReadOptionalASN1(&wrapped, &present, asn1.Tag(3).Constructed().ContextSpecific()) || !present ||
		!wrapped.ReadASN1(&extensions, asn1.SEQUENCE) {
		return nil
	}
	for !extensions.Empty() {
		var extension, oid, value cryptobyte.String
		if !extensions.ReadASN1(&extension, asn1.SEQUENCE) || !extension.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) ||
			!extension.SkipOptionalASN1(asn1.BOOLEAN) || !extension.ReadASN1(&value, asn1.OCTET_STRING) {
			return nil
		}
		if slices.Equal(oid, oidSubjectAltName) {
			return namesOf(value)
		}
	}
	return nil
}

// namesOf returns the names of type dNSName in the DER of GeneralNames.
func namesOf(der cryptobyte.String) []string {
	var list cryptobyte.String
	if !der.ReadASN1(&list, asn1.SEQUENCE) {
		return nil
	}
	var names []string
	for !list.Empty() {
		var name cryptobyte.String
		var tag asn1.Tag
		if !list.ReadAnyASN1(&name, &tag) {
			return nil
		}
		if tag == asn1.Tag(2).ContextSpecific() {
			names = append(names, string(name))
		}
	}
	return names
}
