package report

import "time"

// Roles of evidence.
const (
	RoleSignature   = "signature"       // the file with the signatures
	RoleDocument    = "document"        // what was signed
	RoleCertificate = "certificate"     // a certificate of a chain
	RoleList        = "accredited-list" // the list of accredited CAs
	RoleCRL         = "crl"             // a revocation list
	RoleOCSP        = "ocsp"            // an OCSP answer
	RoleTimeStamp   = "time-stamp"      // a time-stamp token
)

// Evidence is one thing that a verdict rests on. Whoever has all of them, and asks
// about the same moment under the same policy, gets the same document.
type Evidence struct {
	Role string `json:"role"`
	// SHA256 is the digest of the bytes, in hexadecimal. It is absent for a document
	// known only by a digest in another algorithm.
	SHA256 string `json:"sha256,omitempty"`
	// GOST is the GOST R 34.11-2012 (256 bits) digest of a document, in hexadecimal,
	// as the state service prints it.
	GOST string `json:"gost3411_2012_256,omitempty"`
	// Issuer is who issued a certificate, a list or an answer.
	Issuer     string     `json:"issuer,omitempty"`
	Version    int        `json:"version,omitempty"` // of the list of accredited CAs
	ThisUpdate *time.Time `json:"this_update,omitempty"`
	NextUpdate *time.Time `json:"next_update,omitempty"`
}
