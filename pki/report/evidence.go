package report

import (
	"cmp"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/revocation"
	"propusk/pki/validate"
)

// Roles of evidence, in the order in which a document lists it.
const (
	RoleSignature   = "signature"       // the file with the signatures, in DER
	RoleValue       = "signature-value" // of one signer: there is no more where the file was not held
	RoleDocument    = "document"        // what was signed
	RoleCertificate = "certificate"     // a certificate of a chain
	RoleTimeStamp   = "time-stamp"      // a time-stamp token
	RoleCRL         = "crl"             // a revocation list
	RoleOCSP        = "ocsp"            // an OCSP answer
	RoleList        = "accredited-list" // the list of accredited CAs
	RolePolicy      = "policy"          // what was demanded
)

// rank is the place of a role in the order of roles.
func rank(role string) int {
	switch role {
	case RoleSignature:
		return 0
	case RoleValue:
		return 1
	case RoleDocument:
		return 2
	case RoleCertificate:
		return 3
	case RoleTimeStamp:
		return 4
	case RoleCRL:
		return 5
	case RoleOCSP:
		return 6
	case RoleList:
		return 7
	default: // RolePolicy
		return 8
	}
}

// Evidence is one thing that a verdict rests on. Whoever has all of them, and asks
// the same engine about the same moment, gets the same document.
type Evidence struct {
	Role string `json:"role"`
	// Digest is in hexadecimal, and Algorithm its name: "sha256" for all but a
	// document, which has the digest that was signed.
	Digest    string `json:"digest"`
	Algorithm string `json:"algorithm"`
	// Issuer is who issued a certificate, a list or an answer.
	Issuer     string     `json:"issuer,omitempty"`
	Source     string     `json:"source,omitempty"`  // the address it was got from
	Version    int        `json:"version,omitempty"` // of the list of accredited CAs
	ThisUpdate *time.Time `json:"this_update,omitempty"`
	NextUpdate *time.Time `json:"next_update,omitempty"`
}

// same reports whether two pieces are the same evidence.
func (e *Evidence) same(other *Evidence) bool {
	return e.Digest == other.Digest && e.Role == other.Role && e.Algorithm == other.Algorithm
}

// String implements fmt.Stringer; it reveals nobody's name.
func (e Evidence) String() string { return e.Role + " " + e.Algorithm + " " + e.Digest }

// GoString implements fmt.GoStringer like String.
func (e Evidence) GoString() string { return "report.Evidence{" + e.String() + "}" }

// collector gathers evidence, each piece once.
type collector struct{ all []Evidence }

// usualEvidence is for how many pieces there is room at once: a signature with its
// chain has ten.
const usualEvidence = 12

func (k *collector) add(e Evidence) {
	if e.Algorithm == "" {
		e.Algorithm = "sha256"
	}
	for i := range k.all { // there are few
		if k.all[i].same(&e) {
			return
		}
	}
	if k.all == nil {
		k.all = make([]Evidence, 0, usualEvidence)
	}
	k.all = append(k.all, e)
}

// bytes adds a piece by its bytes; none is no evidence.
func (k *collector) bytes(role string, raw []byte) {
	if len(raw) > 0 {
		sum := sha256.Sum256(raw)
		k.add(Evidence{Role: role, Digest: hexadecimal(sum[:])})
	}
}

// done returns the evidence in an order of its own, so that the order of search and
// of network answers cannot be seen in it. It is never nil.
func (k *collector) done() []Evidence {
	slices.SortFunc(k.all, func(a, b Evidence) int {
		return cmp.Or(rank(a.Role)-rank(b.Role), strings.Compare(a.Digest, b.Digest), strings.Compare(a.Algorithm, b.Algorithm))
	})
	if k.all == nil {
		return []Evidence{}
	}
	return k.all
}

// file adds the file with the signatures. One that was read as a stream was not held:
// the values of its signatures stand for it.
func (k *collector) file(f *cms.SignedData) {
	if f == nil {
		return
	}
	k.bytes(RoleSignature, f.Raw)
	for i := range f.Signers {
		if f.Raw == nil {
			k.bytes(RoleValue, f.Signers[i].Signature)
		}
	}
}

// signature adds what the judgement of one signer rests on.
func (k *collector) signature(s validate.Signature) {
	if s.Signer != nil && len(s.Digest) > 0 {
		k.add(Evidence{Role: RoleDocument, Digest: hexadecimal(s.Digest), Algorithm: digestName(s.Signer.DigestAlgorithm.Algorithm.String())})
	}
	if s.Claimed != nil {
		k.certificates(s.Claimed)
	}
	k.certificate(s.Certificate)
	for _, t := range s.TimeStamps {
		k.bytes(RoleTimeStamp, t.Raw)
		if t.Claimed != nil {
			k.certificates(t.Claimed)
		}
		k.certificate(t.Certificate)
	}
	for _, counter := range s.CounterSignatures {
		k.signature(counter)
	}
}

// certificate adds what the judgement of a certificate rests on.
func (k *collector) certificate(c validate.Certificate) {
	if c.Parsed != nil {
		k.certificates(c.Parsed)
	}
	k.certificates(c.Chain...)
	for _, used := range c.Evidence {
		k.revocation(used)
	}
}

func (k *collector) certificates(all ...*gostx509.Certificate) {
	for _, c := range all {
		sum := c.SHA256()
		k.add(Evidence{Role: RoleCertificate, Digest: hexadecimal(sum[:]), Issuer: c.IssuerText()})
	}
}

func (k *collector) revocation(used revocation.Used) {
	e := Evidence{
		Role: RoleCRL, Digest: hexadecimal(used.SHA256[:]), Source: used.Source,
		ThisUpdate: instant(used.ThisUpdate.UTC()), NextUpdate: instant(used.NextUpdate.UTC()),
	}
	if used.Kind == revocation.KindOCSP {
		e.Role = RoleOCSP
	}
	if used.Issuer != nil {
		e.Issuer = used.Issuer.SubjectText()
	}
	k.add(e)
}

// rules adds what was demanded, and the list of accredited CAs.
func (k *collector) rules(t validate.Trust, demands validate.Policy) {
	if t.Accredited != nil {
		sum, date := t.Accredited.SHA256(), t.Accredited.Date()
		k.add(Evidence{Role: RoleList, Digest: hexadecimal(sum[:]), Version: t.Accredited.Version(), ThisUpdate: &date})
	}
	if digest := policyDigest(&demands); digest != "" {
		k.add(Evidence{Role: RolePolicy, Digest: digest})
	}
}

// hexadecimal is hex.EncodeToString of something short, with one allocation.
func hexadecimal(data []byte) string {
	var b [2 * sha512.Size]byte
	if len(data) > len(b)/2 {
		return hex.EncodeToString(data)
	}
	return string(b[:hex.Encode(b[:], data)])
}

// digestName names the digest algorithms of documents; others keep their OID.
func digestName(oid string) string {
	switch oid {
	case "1.2.643.7.1.1.2.2":
		return "gost3411-2012-256"
	case "1.2.643.7.1.1.2.3":
		return "gost3411-2012-512"
	case "1.2.643.2.2.9":
		return "gost3411-94"
	case "2.16.840.1.101.3.4.2.1":
		return "sha256"
	case "2.16.840.1.101.3.4.2.2":
		return "sha384"
	case "2.16.840.1.101.3.4.2.3":
		return "sha512"
	default:
		return oid
	}
}

// programVersion is the version of this program: the commit it was built from, or
// else the version of the module.
var programVersion = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			version = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			version += "+modified"
		}
	}
	return cmp.Or(version, "(devel)")
})
