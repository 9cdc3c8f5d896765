package revocation

import (
	"context"
	"encoding/asn1"
	"errors"
	"sync"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/ocsp"
)

var now = country.Now

// Addresses that the holder's certificate names.
const (
	firstResponder  = "http://ocsp1.example.test/"
	secondResponder = "http://ocsp2.example.test/"
	firstPoint      = "http://cdp1.example.test/ca.crl"
	secondPoint     = "http://cdp2.example.test/ca.crl"
)

// world is a CA, a holder, a responder, and servers that answer as a test says.
type world struct {
	*country.Country
	holder, delegate country.Holder

	mu      sync.Mutex
	servers map[string]func(ctx context.Context, request []byte) ([]byte, error)
	asked   map[string]int
}

func newWorld(t testing.TB) *world {
	w := &world{
		Country: country.New(t),
		servers: make(map[string]func(context.Context, []byte) ([]byte, error)),
		asked:   make(map[string]int),
	}
	w.holder = w.Person(t, w.FNS, gost3410.TC26256A(), w.template())
	w.delegate = w.Person(t, w.FNS, gost3410.TC26256A(), responder(true))
	return w
}

// template is that of a holder whose certificate names all addresses.
func (*world) template() gostx509.Template {
	template := country.Entrepreneur()
	template.OCSPServers = []string{firstResponder, secondResponder}
	template.CRLDistributionPoints = []string{firstPoint, secondPoint}
	return template
}

// responder is the template of a responder's certificate.
func responder(noCheck bool) gostx509.Template {
	template := gostx509.Template{
		Subject:   gostx509.Name{{Type: gostx509.OIDCommonName, Text: "Служба статусов Вымышленная"}},
		NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 1, 0), MaxPathLen: -1,
		KeyUsage:    gostx509.KeyUsageDigitalSignature,
		ExtKeyUsage: []asn1.ObjectIdentifier{gostx509.OIDOCSPSigning},
	}
	if noCheck {
		template.Extra = []gostx509.Extension{{ID: ocsp.OIDNoCheck, Value: []byte{5, 0}}}
	}
	return template
}

var errDown = errors.New("connection refused")

func (w *world) call(ctx context.Context, url string, request []byte) ([]byte, error) {
	w.mu.Lock()
	w.asked[url]++
	serve := w.servers[url]
	w.mu.Unlock()
	if serve == nil {
		return nil, errDown
	}
	return serve(ctx, request)
}

// OCSP implements Fetcher.
func (w *world) OCSP(ctx context.Context, url string, request []byte) ([]byte, error) {
	return w.call(ctx, url, request)
}

// CRL implements Fetcher.
func (w *world) CRL(ctx context.Context, url string) ([]byte, error) { return w.call(ctx, url, nil) }

// count returns how often a server was asked, and forgets it.
func (w *world) count(url string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.asked[url]
	delete(w.asked, url)
	return n
}

// serve makes a responder answer with what a template says, having filled in whose it is.
func (w *world) serve(t testing.TB, url string, change func(*ocsp.Template)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.servers[url] = func(_ context.Context, raw []byte) ([]byte, error) {
		request, err := ocsp.ParseRequest(raw)
		if err != nil {
			t.Errorf("a request that cannot be read: %v", err)
			return nil, err
		}
		template := ocsp.Template{
			ProducedAt: now, Nonce: request.Nonce, Certificates: []*gostx509.Certificate{w.delegate.Cert},
			Singles: []ocsp.Single{{ID: request.IDs[0], Status: ocsp.Good, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}},
		}
		change(&template)
		return ocsp.CreateResponse(nil, template, w.delegate.Cert, w.delegate.Key)
	}
}

// publish makes a distribution point give a list.
func (w *world) publish(t testing.TB, url string, template crl.Template) {
	raw, err := crl.Create(nil, template, w.FNS.Cert, w.FNS.Key)
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.servers[url] = func(context.Context, []byte) ([]byte, error) { return raw, nil }
}

// inForce is a list that is in force and empty.
func inForce(revoked ...crl.Entry) crl.Template {
	return crl.Template{Number: 1, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour), Entries: revoked}
}

// entry revokes the holder.
func (w *world) entry(at time.Time, r crl.Reason, since time.Time) crl.Entry {
	return crl.Entry{Serial: w.holder.Cert.Serial, RevokedAt: at, Reason: r, InvalidSince: since}
}

// lists makes lists of the CA.
func (w *world) lists(t testing.TB, templates ...crl.Template) *crl.Set {
	t.Helper()
	var all []*crl.List
	for _, template := range templates {
		raw, err := crl.Create(nil, template, w.FNS.Cert, w.FNS.Key)
		if err != nil {
			t.Fatal(err)
		}
		l, err := crl.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return crl.NewSet(all...)
}

// answered makes a response about the holder at hand.
func (w *world) answered(t testing.TB, single ocsp.Single) *ocsp.Response {
	t.Helper()
	return w.signed(t, single, w.delegate)
}

// signed is answered by a certain responder.
func (w *world) signed(t testing.TB, single ocsp.Single, by country.Holder) *ocsp.Response {
	t.Helper()
	var err error
	if single.ID.Serial == nil {
		if single.ID, err = ocsp.NewID(ocsp.OIDSHA1, w.holder.Cert, w.FNS.Cert); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := ocsp.CreateResponse(nil, ocsp.Template{
		ProducedAt: single.ThisUpdate, Certificates: []*gostx509.Certificate{by.Cert}, Singles: []ocsp.Single{single},
	}, by.Cert, by.Key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ocsp.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fine is a good answer of a moment, for an hour.
func fine(at time.Time) ocsp.Single {
	return ocsp.Single{Status: ocsp.Good, ThisUpdate: at, NextUpdate: at.Add(time.Hour)}
}

// bad is an answer of a moment that the holder was revoked an hour before.
func bad(at time.Time, r crl.Reason) ocsp.Single {
	return ocsp.Single{
		Status: ocsp.Revoked, RevokedAt: at.Add(-time.Hour), Reason: r, ThisUpdate: at, NextUpdate: at.Add(time.Hour),
	}
}
