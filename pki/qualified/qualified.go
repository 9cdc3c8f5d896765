// Package qualified checks that a certificate has the form of a qualified one:
// 63-ФЗ, ст. 17, and приказ ФСБ России № 795 with its amendments. The rules are a
// table; a new order means new rows, not new code.
//
// Trust is not judged here: the chain, accreditation and revocation belong to
// package validate.
package qualified

import (
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/verdict"
)

// FNS is the ОГРН of the Federal Tax Service, whose CA alone may issue for
// entrepreneurs and heads of companies since 2022-01-01.
const FNS = "1047707030513"

// Rules is the parameters of the table.
type Rules struct {
	// TaxServiceOGRN is the ОГРН that the issuer must have where only the CA of
	// the tax service may issue. Empty means [FNS].
	TaxServiceOGRN string
}

// Check applies the rules to a certificate and the certificate of its issuer at
// a moment, with the parameters of the Russian Federation. Rules that do not
// apply to the certificate are absent from the result.
func Check(cert, issuer *gostx509.Certificate, at time.Time) []verdict.Check {
	return Rules{}.Check(cert, issuer, at)
}

// Check applies the rules to a certificate and the certificate of its issuer at
// a moment. Rules that do not apply to the certificate are absent from the
// result.
func (r Rules) Check(cert, issuer *gostx509.Certificate, at time.Time) []verdict.Check {
	panic("TODO")
}
