// Package signin is the sign-in host: it judges the certificate that a GOST TLS
// connection proved and either hands the person over to the service, or says on
// a page what is wrong and what to do.
//
// The connection itself never fails for a certificate: TLS asks for one and takes
// any, or none (DOMAIN 7.4, rows 5 and 6).
package signin

import (
	"context"
	"crypto"
	"errors"
	"time"

	"propusk/gost/gosttls"
	"propusk/gost/spki"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/pki/sigalg"
	"propusk/pki/validate"
	"propusk/pki/verdict"
	"propusk/server/trust"
)

// judge says who is at the other end of connections.
type judge struct {
	trust trust.Guard
	kinds []person.Kind
	now   func() time.Time
	// proven reads the key out of a certificate as the TLS stack does:
	// [spki.FromCertificate], but in tests.
	proven func(cert []byte) (spki.PublicKeyInfo, error)
}

// outcome is what was found about one connection.
type outcome struct {
	// code is why the person may not enter; empty if and only if who is set.
	code reason.Code
	// err is the technical cause, if any.
	err error
	// cert is the judgement of the certificate; its Parsed is nil when none was
	// shown or it could not be read.
	cert validate.Certificate
	// trust is what it was judged by.
	trust validate.Trust
	// who is the holder; meaningful only without a code.
	who person.Identity
	at  time.Time
	// proven is when the key was proven: before the connection, if that resumed a session.
	proven time.Time
}

// connection judges the connection that a request came through, in the order in
// which a person can do something about it.
func (j judge) connection(ctx context.Context) outcome {
	at := j.now()
	st, ok := gosttls.FromContext(ctx)
	switch {
	case !ok || !st.GOST:
		return outcome{code: reason.GOSTTLSRequired, at: at}
	case len(st.PeerCertificates) == 0:
		return outcome{code: reason.NoCertificate, at: at}
	}
	o := j.certificates(ctx, st.PeerCertificates, at)
	o.proven = at
	if st.Resumed {
		o.proven = st.Established
	}
	if o.code == "" {
		j.proof(&o, st.PeerProof)
	}
	return o
}

// proof has the signature by which the connection has proven the key verified by the
// engine, if that is another one than the TLS stack. It ends in a page and not in a broken
// handshake, which nobody understands. A resumed connection has no such signature, and is
// not offered where it is needed.
func (j judge) proof(o *outcome, p gosttls.Proof) {
	run := o.trust.Engine.Begin()
	if run == nil {
		return
	}
	err := run.Confirm(o.cert.Parsed.PublicKey, p.Digest, p.Signature)
	use := run.Use()
	o.cert.Engine.Fallback = o.cert.Engine.Fallback || use.Fallback
	if err == nil {
		return
	}
	o.code, o.err, o.who = reason.Of(sigalg.EngineFailure(err)), err, person.Identity{}
	var b verdict.Builder
	b.AddAll(o.cert.Verdict)
	b.Unknown(validate.CheckEngine, o.code, "63-ФЗ, ст. 11, п. 3")
	o.cert.Verdict = b.Done(person.Identity{})
}

// Judge returns why the holder of a chain, leaf first, is not let in at this moment, or
// nil. The error is a reason code.
func (s *SignIn) Judge(chain [][]byte) error {
	if o := s.judge.certificates(context.Background(), chain, s.judge.now()); o.code != "" {
		return o.code
	}
	return nil
}

// certificates judges a chain, leaf first, whose leaf the connection proved. When ctx
// ends nobody waits for servers any more.
func (j judge) certificates(ctx context.Context, chain [][]byte, at time.Time) outcome {
	snap, err := j.trust.Current()
	o := outcome{trust: j.trust.Of(snap), at: at}
	if err != nil {
		o.code, o.err = reason.Of(err), err
		return o
	}
	v := validate.Validator{Trust: o.trust, Policy: j.trust.Policy(validate.SignIn(j.kinds...)), Context: ctx}
	o.cert = v.Certificate(chain[0], chain[1:], at)
	who, passed := o.cert.Verdict.Identity()
	if !passed {
		o.code = o.cert.Verdict.Why()
		if o.code == "" { // the zero verdict
			o.code = reason.InternalError
		}
		return o
	}
	if err := j.sameKey(chain[0], o.cert); err != nil {
		o.code, o.err = reason.ConnectionKeyMismatch, err
		return o
	}
	o.who = who
	return o
}

// sameKey compares the key that the TLS stack took out of the certificate, and
// had proven, with the key in the certificate that was judged. Two parsers read
// the same bytes; if they ever disagree, one person's key must not open another
// person's certificate.
func (j judge) sameKey(leaf []byte, judged validate.Certificate) error {
	proven, err := j.proven(leaf)
	if err != nil {
		return err
	}
	type equaler interface{ Equal(crypto.PublicKey) bool }
	key, ok := judged.Parsed.PublicKey.(equaler)
	if !ok || !key.Equal(proven.Key) {
		return errors.New("the key proven by TLS is not the key of the certificate")
	}
	return nil
}

// vouched returns the holder of a certificate whose key was proven and whose chain leads to
// a root, whether he may enter or not. What other certificates say about their holders may
// be anybody's invention.
func (o outcome) vouched() (person.Identity, bool) {
	switch o.code {
	case reason.ConnectionKeyMismatch, reason.EngineDisagreement, reason.EngineLost:
		return person.Identity{}, false
	}
	for check := range o.cert.Verdict.All() {
		if check.Name == validate.CheckChain && check.Status == verdict.Passed && o.cert.Parsed != nil {
			who, err := o.cert.Parsed.Identity()
			return who, err == nil
		}
	}
	return person.Identity{}, false
}

// conclusion names the outcome as a verdict does.
func (o outcome) conclusion() string {
	switch {
	case o.code == "":
		return report.TotalPassed
	case o.cert.Parsed == nil && o.code != reason.CertMalformed:
		return report.Indeterminate
	case o.code == reason.ConnectionKeyMismatch:
		return report.TotalFailed
	default:
		return report.Conclude(o.cert.Verdict.Status())
	}
}
