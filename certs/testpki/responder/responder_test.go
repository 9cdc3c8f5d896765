package responder_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"propusk/certs/testpki"
	"propusk/certs/testpki/responder"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/ocsp"
	"propusk/pki/sigalg"
	"propusk/pki/tsp"
)

var moment = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// place is a country with its services.
type place struct {
	*testpki.Country
	dir string
	url string
}

func newPlace(t testing.TB) place {
	t.Helper()
	// The address is known before the certificates that name it.
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	c, err := testpki.New(testpki.Options{Now: moment, BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	p := place{Country: c, dir: t.TempDir(), url: server.URL}
	if err := c.WriteTo(p.dir); err != nil {
		t.Fatal(err)
	}
	m, err := testpki.ReadManifest(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	handler, err = responder.Open(m.In(p.dir), func() time.Time { return moment })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// get returns what is at an address.
func get(t testing.TB, address string) (int, http.Header, []byte) {
	t.Helper()
	response, err := http.Get(address) //nolint:noctx // it ends with the server
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, data
}

func post(t testing.TB, address, kind string, data []byte) (int, []byte) {
	t.Helper()
	response, err := http.Post(address, kind, bytes.NewReader(data)) //nolint:noctx // it ends with the server
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, reply
}

// TestAddresses follows every address in every certificate.
func TestAddresses(t *testing.T) {
	p := newPlace(t)
	certs := map[*gostx509.Certificate]*testpki.Authority{p.TSA().Certificate: p.TSAIssuer()}
	for _, person := range p.People() {
		certs[person.Certificate] = person.Issuer
	}
	for _, a := range p.Authorities() {
		if a.Parent != nil {
			certs[a.Certificate] = a.Parent
		}
	}
	for cert, issuer := range certs {
		if len(cert.CRLDistributionPoints) != 1 || len(cert.CAIssuers) != 1 || len(cert.OCSPServers) != 1 {
			t.Fatalf("%v: not one address of each kind", cert)
		}
		if _, header, data := get(t, cert.CRLDistributionPoints[0]); !bytes.Equal(data, p.CRL(issuer.ID)) || header.Get("Content-Type") != "application/pkix-crl" {
			t.Errorf("%v: not the list of %s", cert, issuer.ID)
		}
		if _, _, data := get(t, cert.CAIssuers[0]); !bytes.Equal(data, issuer.Certificate.Raw) {
			t.Errorf("%v: not the certificate of %s", cert, issuer.ID)
		}
		single, response := askStatus(t, cert.OCSPServers[0], cert, issuer.Certificate)
		if err := response.CheckSignature(issuer.Certificate, moment); err != nil {
			t.Errorf("%s: %v", issuer.ID, err)
		}
		want := ocsp.Good
		if cert.Equal(p.Person("revoked").Certificate) {
			want = ocsp.Revoked
		}
		if single.Status != want || !single.ThisUpdate.Equal(moment) {
			t.Errorf("%v: status %v since %v, want %v", cert, single.Status, single.ThisUpdate, want)
		}
	}
	if _, _, data := get(t, p.url+testpki.TSLPath); !bytes.Equal(data, p.TSL()) {
		t.Error("not the list of accredited CAs")
	}
}

// askStatus asks about a certificate, by POST and by GET.
func askStatus(t testing.TB, address string, cert, issuer *gostx509.Certificate) (ocsp.Single, *ocsp.Response) {
	t.Helper()
	id, err := ocsp.NewID(sigalg.OIDStreebog256, cert, issuer)
	if err != nil {
		t.Fatal(err)
	}
	nonce := bytes.Repeat([]byte{7}, ocsp.NonceSize)
	query, err := ocsp.CreateRequest(nonce, id)
	if err != nil {
		t.Fatal(err)
	}
	_, posted := post(t, address, "application/ocsp-request", query)
	_, _, got := get(t, address+"/"+url.PathEscape(base64.StdEncoding.EncodeToString(query)))
	var single ocsp.Single
	var response *ocsp.Response
	for _, raw := range [][]byte{got, posted} {
		if response, err = ocsp.Parse(raw); err != nil {
			t.Fatal(err)
		}
		found := false
		if single, found = response.Lookup(cert, issuer); !found || !bytes.Equal(response.Nonce, nonce) {
			t.Fatal("another question was answered")
		}
	}
	return single, response
}

// TestListReplaced revokes somebody by a new list: everybody hears of it.
func TestListReplaced(t *testing.T) {
	p := newPlace(t)
	fns, ip := p.Authority("fns"), p.Person("ip")
	template := p.CRLTemplate(fns)
	template.Number++
	template.Entries = append(template.Entries, crl.Entry{Serial: ip.Certificate.Serial, RevokedAt: moment, Reason: crl.Superseded})
	raw, err := p.IssueCRL(fns, template)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "authorities", "fns.crl"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	_, header, data := get(t, ip.Certificate.CRLDistributionPoints[0])
	if !bytes.Equal(data, raw) {
		t.Error("the list of before")
	}
	for tag, want := range map[string]int{header.Get("ETag"): http.StatusNotModified, `"another"`: http.StatusOK} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, ip.Certificate.CRLDistributionPoints[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("If-None-Match", tag)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if response.Body.Close(); response.StatusCode != want {
			t.Errorf("%s: %d, want %d", tag, response.StatusCode, want)
		}
	}
	single, _ := askStatus(t, ip.Certificate.OCSPServers[0], ip.Certificate, fns.Certificate)
	if single.Status != ocsp.Revoked || single.Reason != crl.Superseded || !single.RevokedAt.Equal(moment) {
		t.Errorf("%+v", single)
	}
}

// TestTimeStamp obtains a time-stamp as anybody would.
func TestTimeStamp(t *testing.T) {
	p := newPlace(t)
	digest := bytes.Repeat([]byte{1}, 32)
	client := tsp.Client{URL: p.url + testpki.TSAPath}
	token, err := client.Stamp(t.Context(), sigalg.OIDStreebog256, digest)
	if err != nil {
		t.Fatal(err)
	}
	certs, _ := token.Signed.X509()
	r, err := token.Verify(certs)
	if err != nil || !r.Certificate.Equal(p.TSA().Certificate) || !token.GenTime.Equal(moment) || len(certs) != 2 {
		t.Errorf("%v of %v with %d certificates: %v", token.GenTime, r.Certificate, len(certs), err)
	}
}

// TestRefused answers what cannot be answered in the way of each protocol.
func TestRefused(t *testing.T) {
	p := newPlace(t)
	ip := p.Person("ip")
	id, err := ocsp.NewID(sigalg.OIDStreebog256, ip.Certificate, p.Person("ul").Certificate) // no CA
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := ocsp.CreateRequest(nil, id)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path, kind string
		data       []byte
		want       int
		reply      []byte
	}{
		"no OCSP request":      {testpki.OCSPPath, "application/ocsp-request", []byte("hello"), http.StatusOK, ocsp.CreateRefusal(ocsp.MalformedRequest)},
		"of a stranger":        {testpki.OCSPPath, "application/ocsp-request", stranger, http.StatusOK, ocsp.CreateRefusal(ocsp.Unauthorized)},
		"another type":         {testpki.OCSPPath, "text/plain", stranger, http.StatusUnsupportedMediaType, nil},
		"too long":             {testpki.OCSPPath, "application/ocsp-request", make([]byte, 1<<20), http.StatusBadRequest, nil},
		"another type for TSA": {testpki.TSAPath, "application/ocsp-request", stranger, http.StatusUnsupportedMediaType, nil},
		"to a file":            {testpki.TSLPath, "text/plain", nil, http.StatusMethodNotAllowed, nil},
	} {
		status, reply := post(t, p.url+c.path, c.kind, c.data)
		if status != c.want || c.reply != nil && !bytes.Equal(reply, c.reply) {
			t.Errorf("%s: %d, want %d", name, status, c.want)
		}
	}
	for path, want := range map[string]int{
		"/cdp/nobody.crl": http.StatusNotFound, "/crt/nobody.cer": http.StatusNotFound, "/cdp/../country.json": http.StatusNotFound,
		"/authorities/fns.key": http.StatusNotFound, "/ocsp/%25": http.StatusOK, "/": http.StatusNotFound,
	} {
		if status, _, data := get(t, p.url+path); status != want || strings.Contains(string(data), "PRIVATE") {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}
