package validate

import (
	"context"
	"errors"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/ocsp"
	"propusk/pki/reason"
	"propusk/pki/revocation"
	"propusk/pki/verdict"
)

// respond makes the answer of a CA about a certificate.
func respond(t *testing.T, a *country.Authority, cert *gostx509.Certificate, s ocsp.Single, nonce []byte) []byte {
	t.Helper()
	var err error
	if s.ID, err = ocsp.NewID(ocsp.OIDSHA1, cert, a.Cert); err != nil {
		t.Fatal(err)
	}
	s.ThisUpdate, s.NextUpdate = now, now.Add(time.Hour)
	raw, err := ocsp.CreateResponse(nil, ocsp.Template{ProducedAt: now, Singles: []ocsp.Single{s}, Nonce: nonce}, a.Cert, a.Key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func response(t *testing.T, a *country.Authority, cert *gostx509.Certificate, s ocsp.Single) *ocsp.Response {
	t.Helper()
	r, err := ocsp.Parse(respond(t, a, cert, s, nil))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// responders is a network in which one CA answers, or nobody.
type responders func(request []byte) ([]byte, error)

func (r responders) OCSP(_ context.Context, _ string, request []byte) ([]byte, error) {
	return r(request)
}

func (responders) CRL(context.Context, string) ([]byte, error) { return nil, errors.New("no lists") }

// TestRevocationSources: evidence may come from the trust data, with what is judged, or
// from servers; what the verdict rests on is told.
func TestRevocationSources(t *testing.T) {
	c := country.New(t)
	template := country.Entrepreneur()
	template.OCSPServers = []string{"http://ocsp.example.test/"}
	h := c.Person(t, c.FNS, gost3410.TC26256A(), template)
	good, bad := ocsp.Single{Status: ocsp.Good}, ocsp.Single{Status: ocsp.Revoked, RevokedAt: now.Add(-time.Minute)}
	lists := crl.NewSet(c.Root.CRL) // about the CA; there is none about the holder
	online := func(s ocsp.Single) *revocation.Online {
		return revocation.NewOnline(responders(func(raw []byte) ([]byte, error) {
			request, err := ocsp.ParseRequest(raw)
			if err != nil {
				return nil, err
			}
			return respond(t, c.FNS, h.Cert, s, request.Nonce), nil
		}))
	}
	for _, v := range []struct {
		name   string
		give   func(*Validator)
		status verdict.Status
		why    reason.Code
		source string
	}{
		{"nothing", func(*Validator) {}, verdict.Indeterminate, reason.RevocationUnknown, ""},
		{"trust data", func(v *Validator) { v.Trust.OCSP = []*ocsp.Response{response(t, c.FNS, h.Cert, good)} }, verdict.Passed, "", ""},
		{"trust data, revoked", func(v *Validator) { v.Trust.OCSP = []*ocsp.Response{response(t, c.FNS, h.Cert, bad)} }, verdict.Failed, reason.CertRevoked, ""},
		{"came along", func(v *Validator) { v.Evidence.Responses = []*ocsp.Response{response(t, c.FNS, h.Cert, good)} }, verdict.Passed, "", ""},
		{"came along, signed by another CA", func(v *Validator) { v.Evidence.Responses = []*ocsp.Response{response(t, c.Lost, h.Cert, good)} }, verdict.Indeterminate, reason.RevocationUnknown, ""},
		{"a list came along", func(v *Validator) { v.Evidence.CRLs = crl.NewSet(c.FNS.CRL) }, verdict.Passed, "", ""},
		{"servers", func(v *Validator) { v.Trust.Online = online(good) }, verdict.Passed, "", "http://ocsp.example.test/"},
		{"servers, revoked", func(v *Validator) { v.Trust.Online = online(bad) }, verdict.Failed, reason.CertRevoked, "http://ocsp.example.test/"},
		{"servers, dead", func(v *Validator) {
			v.Trust.Online = revocation.NewOnline(responders(func([]byte) ([]byte, error) { return nil, errors.New("down") }))
		}, verdict.Indeterminate, reason.RevocationUnreachable, ""},
	} {
		t.Run(v.name, func(t *testing.T) {
			validator := validator(c, QES())
			validator.Trust.CRLs = lists
			v.give(&validator)
			got := validator.Certificate(h.Cert.Raw, nil, now)
			if got.Verdict.Status() != v.status || got.Verdict.Why() != v.why {
				t.Fatalf("%v %q: %+v", got.Verdict.Status(), got.Verdict.Why(), got.Verdict.Checks())
			}
			about := map[*gostx509.Certificate]revocation.Used{}
			for _, used := range got.Evidence {
				about[used.Certificate] = used
			}
			if _, found := about[c.FNS.Cert]; !found {
				t.Errorf("nothing about the CA: %+v", got.Evidence)
			}
			used, found := about[got.Chain[0]]
			if found != (v.status != verdict.Indeterminate) || used.Source != v.source {
				t.Errorf("about the holder: %+v", used)
			}
		})
	}
}
