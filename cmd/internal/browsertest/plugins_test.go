package browsertest

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"propusk/certs"
	"propusk/certs/testpki"
	"propusk/gost/streebog"
	"propusk/pki/cms"
	"propusk/pki/person"
	"propusk/pki/validate"
	"propusk/server/page"
	"propusk/server/page/plugins"
)

// TestPlugins signs with vendors' plug-ins, which the fakes in testdata stand for, on a
// page like the gateway's and under the policy of its page: from the click to the
// verdict, and everything that may go wrong before.
func TestPlugins(t *testing.T) {
	t.Parallel()
	Require(t)
	if !plugins.Built() {
		t.Skip("the script is not built: make plugins") // its own test fails where it must be there
	}
	country, err := testpki.New(testpki.Options{Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	var holders []Holder
	names := make(map[string]string)
	for _, id := range []string{"ip", "ip512", "expired", "notyet", "ul", "fl"} {
		p := country.Person(id)
		holders = append(holders, Holder{ID: id, Certificate: p.Certificate, Key: p.Key})
		names[id] = p.Name
	}
	host := NewHost(t, holders...)
	people := host.Certificates()
	for _, one := range people {
		one["name"] = names[one["id"]]
	}
	gateway := newSigningPage(t, country)
	Run(t, "plugins", map[string]any{
		"page": gateway.URL + "/content", "pageOfDigest": gateway.URL + "/digest",
		"host": host.URL, "people": people, "pin": testpki.DemoPIN,
	})
}

// newSigningPage serves a page that wants a signature over a text, or over the digest of
// it, and tells the verdict about what it gets.
func newSigningPage(t *testing.T, country *testpki.Country) *httptest.Server {
	t.Helper()
	dir := t.TempDir()
	if err := country.WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	manifest, err := testpki.ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := certs.Load(t.Context(), certs.Source{Dir: manifest.In(dir).Trust.Dir}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	content := []byte("Вход в кабинет: проверка плагина.\n")
	mux := http.NewServeMux()
	for _, path := range plugins.Files() {
		mux.Handle(path, plugins.Handler())
	}
	mux.HandleFunc("GET /content", func(w http.ResponseWriter, r *http.Request) { writeSigningPage(w, r, content, nil) })
	mux.HandleFunc("GET /digest", func(w http.ResponseWriter, r *http.Request) { writeSigningPage(w, r, nil, content) })
	mux.HandleFunc("POST /signed", func(w http.ResponseWriter, r *http.Request) {
		signature, err := base64.StdEncoding.DecodeString(r.PostFormValue("signature"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		v := validate.Validator{Trust: snapshot.Trust(), Policy: validate.SignIn(person.Entrepreneur)}
		report := v.Signature(signature, cms.Document(content), time.Now())
		if who, ok := report.Verdict().Identity(); ok {
			fmt.Fprintf(w, "TOTAL-PASSED %s", who.Name.Reveal())
			return
		}
		fmt.Fprint(w, report.Verdict().Why())
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func writeSigningPage(w http.ResponseWriter, r *http.Request, content, document []byte) {
	digest256, digest512 := streebog.Sum256(document), streebog.Sum512(document)
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; script-src "+plugins.ScriptSources())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!DOCTYPE html><html lang="%s"><title>Вход</title><h1>Вход</h1><p lang="en">Sign in</p>
<div id="plugins" hidden="hidden" data-content="%s" data-digest256="%s" data-digest512="%s" data-kinds="ip" data-purpose="sign-in"></div>
<form id="answer" method="post" action="/signed"><input type="hidden" name="state" value="s"><input type="hidden" name="signature"></form>
<script src="%s" defer="defer"></script></html>`,
		page.Language(r), base64.StdEncoding.EncodeToString(content), hex.EncodeToString(digest256[:]), hex.EncodeToString(digest512[:]),
		html.EscapeString(plugins.ScriptPath))
}
