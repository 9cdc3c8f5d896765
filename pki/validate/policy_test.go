package validate

import (
	"testing"
	"time"

	"propusk/pki/cms"
	"propusk/pki/internal/longterm"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// TestSignaturePolicy: a policy that the signer named must be the document that is
// configured for it; one that is not configured is reported.
func TestSignaturePolicy(t *testing.T) {
	w := newWorld(t)
	text := []byte("Политика подписи вымышленной системы")
	const id = "1.2.643.100.113.99"
	oid := longterm.Element(0x06, longterm.OID(t, id))
	sign := func(value []byte) []byte {
		return longterm.SignWith(t, document, w.h, signed, longterm.SignaturePolicy, value)
	}
	named := sign(longterm.Element(0x30, oid, longterm.OtherHash(text)))
	for name, c := range map[string]struct {
		file       []byte
		configured map[string][]byte
		status     verdict.Status
		code       reason.Code
		level      cms.Level
	}{
		"not configured":     {named, nil, verdict.Passed, "", cms.EPES},
		"configured":         {named, map[string][]byte{id: text}, verdict.Passed, "", cms.EPES},
		"another document":   {named, map[string][]byte{id: text[1:]}, verdict.Indeterminate, reason.PolicyMismatch, cms.EPES},
		"another policy":     {named, map[string][]byte{"1.2.3": text[1:]}, verdict.Passed, "", cms.EPES},
		"implied":            {sign([]byte{5, 0}), map[string][]byte{id: text}, verdict.Passed, "", cms.EPES},
		"without a digest":   {sign(longterm.Element(0x30, oid)), map[string][]byte{id: text[1:]}, verdict.Passed, "", cms.EPES},
		"malformed":          {sign(longterm.Element(0x30)), nil, verdict.Failed, reason.SignatureAttributesBad, cms.BES},
		"no content stamp":   {longterm.SignWith(t, document, w.h, signed, longterm.ContentTimeStamp), nil, verdict.Failed, reason.SignatureAttributesBad, cms.BES},
		"content stamp null": {longterm.SignWith(t, document, w.h, signed, longterm.ContentTimeStamp, []byte{5, 0}), nil, verdict.Passed, "", cms.BES},
	} {
		t.Run(name, func(t *testing.T) {
			v := w.v
			v.Policy.SignaturePolicies = c.configured
			s := one(t, v, c.file, now)
			wantSignature(t, s, c.status, c.code, c.level, time.Time{})
			if (s.Policy != nil) != (c.level == cms.EPES) {
				t.Errorf("policy: %+v", s.Policy)
			}
		})
	}
}
