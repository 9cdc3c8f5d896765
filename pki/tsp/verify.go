package tsp

import (
	"errors"

	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// Names of the checks that a time-stamp has beside those of package cms. They
// appear in verdict documents and stay as they are.
const (
	CheckPurpose = "time-stamp-purpose" // the certificate is one of a TSA
	CheckName    = "time-stamp-name"    // the TSA named inside is the signer
	CheckForm    = "time-stamp-form"    // the signer named the certificate
)

var (
	errPurpose = errors.New("tsp: extKeyUsage is not critical with id-kp-timeStamping alone")
	errUnnamed = errors.New("tsp: no signing-certificate attribute")
	errName    = errors.New("tsp: the certificate has another name")
)

// Verify checks the signature of the token and the rules for who may make it. The
// certificate is looked for among the candidates, usually those of Signed.X509 and
// any given beside the token. The checks of the rules are in Math of the result,
// after those of package cms; the error is nil if and only if every check of Math
// and Format passed, and is a *reason.Error with the reason of the first that did
// not otherwise.
//
// Whether the certificate was in force at GenTime, and whom it comes from, is for
// package validate to say. Verify is safe for concurrent use.
func (t *Token) Verify(candidates []*gostx509.Certificate) (cms.Result, error) {
	panic("TODO")
}

var _ = verdict.Check{}
var _ = reason.Error{}
