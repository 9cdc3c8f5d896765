package validate

import (
	"encoding/asn1"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/streebog"
	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/internal/longterm"
	"propusk/pki/ocsp"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/tsp"
	"propusk/pki/verdict"
)

// delegated makes an OCSP answer that the signer was in good standing at a moment, by a
// responder of the tax service whose certificate ends a month later.
func (w *world) delegated(t *testing.T, at time.Time) *ocsp.Response {
	t.Helper()
	by := w.Person(t, w.FNS, gost3410.TC26256A(), gostx509.Template{
		Subject:   gostx509.Name{{Type: gostx509.OIDCommonName, Text: "Служба статусов Вымышленная"}},
		NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 1, 0), MaxPathLen: -1,
		KeyUsage:    gostx509.KeyUsageDigitalSignature,
		ExtKeyUsage: []asn1.ObjectIdentifier{gostx509.OIDOCSPSigning},
		Extra:       []gostx509.Extension{{ID: ocsp.OIDNoCheck, Value: []byte{5, 0}}},
	})
	id, err := ocsp.NewID(ocsp.OIDSHA1, w.h.Cert, w.FNS.Cert)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := ocsp.CreateResponse(nil, ocsp.Template{
		ProducedAt: at, ByName: true, Certificates: []*gostx509.Certificate{by.Cert},
		Singles: []ocsp.Single{{ID: id, Status: ocsp.Good, ThisUpdate: at, NextUpdate: at.Add(24 * time.Hour)}},
	}, by.Cert, by.Key)
	if err != nil {
		t.Fatal(err)
	}
	response, err := ocsp.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// TestAccuracy: a TSA that says that its clock may be off by more than clocks may
// differ proves no moment.
func TestAccuracy(t *testing.T) {
	w := newWorld(t)
	for accuracy, code := range map[time.Duration]reason.Code{
		time.Second: "", maxAccuracy: "", maxAccuracy + time.Microsecond: reason.TimeStampInaccurate, 24 * time.Hour: reason.TimeStampInaccurate,
	} {
		w.tsa.Make = func(data []byte) []byte {
			sum := streebog.Sum256(data)
			token, err := tsp.Create(nil, tsp.Template{
				Policy: asn1.ObjectIdentifier{1, 2, 643, 100, 99}, GenTime: stamped, Accuracy: accuracy,
				Digest:       tsp.Imprint{Algorithm: sigalg.AlgorithmIdentifier{Algorithm: sigalg.OIDStreebog256}, Hash: sum[:]},
				Certificates: []*gostx509.Certificate{w.tsa.Holder.Cert},
			}, w.tsa.Holder.Cert, w.tsa.Holder.Key)
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		s := one(t, w.v, longterm.T(t, w.bes(t, false), w.tsa), now)
		status, proven := verdict.Passed, stamped
		if code != "" {
			status, proven = verdict.Indeterminate, time.Time{}
		}
		wantSignature(t, s, verdict.Passed, "", cms.T, proven)
		wantStamp(t, s, cades.SignatureTimeStamp, status, code)
	}
}

// TestResponderExpiredSince: the answer inside a signature is of a responder whose
// certificate has ended. It counts, without any network, only under a time-stamp that
// proves it to be older than that.
func TestResponderExpiredSince(t *testing.T) {
	w := newWorld(t)
	at := stamped.Add(time.Minute)
	m := longterm.Material{
		Certs: []*gostx509.Certificate{w.FNS.Cert, w.Root.Cert},
		Lists: [][]byte{w.list(t, w.Root, at)},
	}
	for _, r := range []*ocsp.Response{w.delegated(t, at), w.response(t, at, w.tsa.Holder.Cert)} {
		m.OCSPs = append(m.OCSPs, r.RawBasic)
		m.Refs = append(m.Refs, longterm.OCSP{
			Responder: longterm.Element(0xa1, r.ResponderName), ProducedAt: r.ProducedAt, Hashed: r.RawBasic,
		})
	}
	bes := w.bes(t, false)
	long := longterm.Values(t, longterm.C(t, longterm.T(t, bes, w.tsa), m), m)
	unstamped := longterm.Values(t, longterm.C(t, bes, m), m)
	w.tsa.Time = at.Add(time.Minute)
	type1 := longterm.Type1(t, long, w.tsa)
	lta := longterm.Indexed(t, long, document, longterm.IndexV3, w.tsa)
	early := *w.tsa
	early.Time = now.AddDate(0, 1, 1) // the responder has just ended
	late := longterm.Type1(t, long, &early)

	v := w.offline()
	v.Policy.AcceptStaleTimeStamps = true // about TSAs
	after := now.AddDate(0, 2, 0)
	for _, c := range []struct {
		name   string
		file   []byte
		at     time.Time
		code   reason.Code
		level  cms.Level
		proven time.Time
	}{
		{"type 1, the responder in force", type1, now, "", cms.XLongType1, stamped},
		{"type 1", type1, after, "", cms.XLongType1, stamped},
		{"LTA", lta, after, "", cms.LTA, stamped},
		{"no stamp of the answer, the responder in force", long, now, "", cms.XLong, stamped},
		{"no stamp of the answer", long, after, reason.RevocationUnusable, cms.XLong, stamped},
		{"stamp of the answer too late", late, after, reason.RevocationUnusable, cms.XLongType1, stamped},
		{"no stamp at all, so judged now", unstamped, after, reason.RevocationStale, cms.BES, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			status := verdict.Indeterminate
			if c.code == "" {
				status = verdict.Passed
			}
			wantSignature(t, one(t, v, c.file, c.at), status, c.code, c.level, c.proven)
		})
	}
}
