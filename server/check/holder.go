package check

import (
	"slices"

	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/server/signin"
)

// maxChain bounds the CAs that are told of, and the certificates of a client that are
// compared with them.
const maxChain = 16

// newHolder tells of a certificate that was judged. Sent are the certificates that came
// with it, and nil if they do not tell what is installed.
func newHolder(o signin.Outcome, sent [][]byte) *Holder {
	h := &Holder{Code: o.Code, Sent: sent != nil}
	chain, anchored := o.Chain()
	if len(chain) == 0 {
		return h
	}
	leaf := chain[0]
	h.Kind = person.Other // it was read, whatever its holder is
	h.NotBefore, h.NotAfter, h.KeyUntil, h.cert = leaf.NotBefore, leaf.NotAfter, leaf.PrivateKeyUsage.NotAfter, leaf.Raw
	if who, err := leaf.Identity(); err == nil {
		h.Kind, h.inn = who.Kind, who.INN
	}
	if !anchored { // the CAs that the client made up are nobody's
		return h
	}
	for _, ca := range chain[1:min(len(chain), maxChain)] {
		h.Chain = append(h.Chain, CA{
			SHA256: hexOf(ca.SHA256()), Name: ca.Subject.Get(gostx509.OIDCommonName),
			Root: string(ca.RawIssuer) == string(ca.RawSubject),
			Came: slices.ContainsFunc(sent[:min(len(sent), maxChain)], func(der []byte) bool { return string(der) == string(ca.Raw) }),
		})
	}
	return h
}
