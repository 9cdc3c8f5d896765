package validate

import (
	"time"

	"propusk/pki/cades"
	"propusk/pki/gostx509"
	"propusk/pki/tsp"
	"propusk/pki/verdict"
)

// TimeStamp is the judgement of one time-stamp of a signature. The zero value
// proves nothing.
type TimeStamp struct {
	Kind cades.Kind
	// Time is what the time-stamp says. It is proven only if Verdict passed.
	Time time.Time
	// Verdict is the total: that the time-stamp is of this signature, its own
	// signature, and the certificate of the TSA. It has no identity.
	Verdict verdict.Verdict
	// Certificate is the judgement of the certificate of the TSA at the moment at
	// which the time-stamp itself is known to have existed: that of an archive
	// time-stamp over it, else the moment of the verification.
	Certificate Certificate
	// Claimed is the certificate that the token names as that of the TSA; nil if
	// there is none.
	Claimed *gostx509.Certificate
	// Token is the token; nil if it could not be read.
	Token *tsp.Token
	// Raw is the token as it stands in the file.
	Raw []byte
}
