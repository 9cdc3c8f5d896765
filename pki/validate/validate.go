// Package validate judges certificates and signatures: the mathematics, the
// chain to a pinned root, accreditation of the issuing CA, revocation and the
// rules for qualified certificates come together here into one verdict
// (63-ФЗ, ст. 11; ETSI EN 319 102-1, Section 5).
//
// Three parts stay apart, because people ask about them separately: whether the
// signature is mathematically right, whether the certificate is good, and the
// total.
package validate

import (
	"context"
	"time"

	"propusk/pki/crl"
	"propusk/pki/facts"
	"propusk/pki/ocsp"
	"propusk/pki/path"
	"propusk/pki/person"
	"propusk/pki/revocation"
	"propusk/pki/sigalg"
	"propusk/pki/tsl"
)

// Trust is what is believed and known at some moment. It is immutable and safe
// for concurrent use. With the zero value no certificate passes.
type Trust struct {
	// Roots are the trust anchors, pinned by their bytes.
	Roots *path.Pool
	// Intermediates are CA certificates to build chains with; they are not
	// trusted by themselves.
	Intermediates *path.Pool
	// Accredited is the verified list of accredited CAs; with nil nobody is known
	// to be accredited.
	Accredited *tsl.List
	// CRLs are the revocation lists; nil is an empty set.
	CRLs *crl.Set
	// OCSP are OCSP responses at hand; they are verified before they count.
	OCSP []*ocsp.Response
	// Online asks responders and distribution points for what is not at hand; nil
	// means that none is asked.
	Online *revocation.Online
	// Facts remembers which certificates the CAs above have signed, and their keys;
	// nil remembers nothing. It makes verdicts faster and never another one.
	Facts *facts.Memory
	// Engine says who computes signatures of GOST R 34.10; nil is this program. It is
	// asked about every one that a verdict rests on: of the signer, of time-stamps and
	// counter-signatures, of the certificates of all chains, of revocation lists and
	// OCSP responses. What it cannot decide never passes.
	Engine *sigalg.Choice
	// Judged is told every certificate that was judged with these data, those of
	// time-stamps and responders among them; nil means nobody is. It must be quick
	// and safe for concurrent use.
	Judged func(Certificate)
	// ID names this trust data in answers and logs.
	ID string
	// LoadedAt is when the data were read.
	LoadedAt time.Time
}

// Policy says what is demanded of a certificate. The zero value demands all:
// a qualified certificate of any kind of holder, issued by an accredited CA, with
// fresh revocation lists for the whole chain.
type Policy struct {
	// Name goes into the answer: "qes", "signin".
	Name string

	// AllowedKinds are the kinds of holders that may pass; empty means any
	// holder. A CA is a holder only if it is named here.
	AllowedKinds []person.Kind

	// Revocation says how revocation data are judged and asked for. The law gives
	// no grace; more than zero needs a reason.
	Revocation revocation.Policy

	// AllowUnqualified lets a certificate pass that breaks rules for qualified
	// certificates. The rules are still checked and reported.
	AllowUnqualified bool

	// AllowUnaccredited lets a certificate pass whose issuer is not an accredited
	// CA. Accreditation is still checked and reported.
	AllowUnaccredited bool

	// SignaturePolicies are documents of signature policies by the identifier, in
	// dotted form. A signature under one of them must bear its digest; policies that
	// are not here are reported and not judged.
	SignaturePolicies map[string][]byte

	// AcceptStaleTimeStamps lets a time-stamp count about whose TSA nothing newer is
	// known than the revocation data of the time of the stamp, as long as its
	// certificates have not expired. It is for judging without a network, long after:
	// that the TSA was revoked since, say because its key was stolen and may stamp
	// any time of the past, then goes unnoticed.
	AcceptStaleTimeStamps bool

	// InsecureSkipRevocation leaves out the check of revocation.
	InsecureSkipRevocation bool

	// InsecureSkipValidity leaves out the dates of the certificates in the chain:
	// for archives, where only the chain of signatures is of interest.
	InsecureSkipValidity bool
}

// QES is the policy of the verification service: any holder of a qualified
// certificate.
func QES() Policy { return Policy{Name: "qes"} }

// SignIn is the policy of the sign-in host: qualified certificates of the given
// kinds of holders.
func SignIn(kinds ...person.Kind) Policy {
	return Policy{Name: "signin", AllowedKinds: kinds}
}

// CA is the policy for certificates of certification authorities: they are asked
// for their chain, dates, revocation and accreditation, not for the rules about
// certificates of holders.
func CA() Policy {
	return Policy{Name: "ca", AllowedKinds: []person.Kind{person.Authority}, AllowUnqualified: true}
}

// Validator judges under a policy with given trust data. The zero value lets
// nothing pass. It is safe for concurrent use.
type Validator struct {
	Trust  Trust
	Policy Policy

	// Now is when the judgement is made, if the moment asked about is another
	// one: revocation lists issued since that moment may then be used. Zero means
	// the moment asked about.
	Now time.Time

	// Evidence is what came with the thing that is judged, such as the revocation
	// data inside a signature. It is verified before it counts.
	Evidence revocation.Evidence

	// Context ends asking servers (Trust.Online); nil is context.Background.
	Context context.Context

	run    *sigalg.Run        // of one file; nil is one for each certificate that is judged, or this program
	budget *revocation.Budget // of one file; nil is one for each certificate that is judged
	work   int                // path.Options.MaxWork of each certificate; zero means the default
}
