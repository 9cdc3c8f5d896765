package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/certs"
	"propusk/certs/testpki"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/server/apikey"
	"propusk/server/page"
	"propusk/server/problem"
	"propusk/server/request"
	"propusk/server/trust"
)

// country is made once for all tests: nothing in it changes.
var country = sync.OnceValues(func() (*world, error) {
	c, err := testpki.New(testpki.Options{Now: time.Now()})
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "propusk-api-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := c.WriteTo(dir); err != nil {
		return nil, err
	}
	store := certs.NewStore(certs.Source{Dir: filepath.Join(dir, "trust")}, time.Now)
	return &world{c, store}, store.Reload(context.Background())
})

// world is the demo country and its trust data.
type world struct {
	*testpki.Country
	store *certs.Store
}

// service is an API under test, without a network.
type service struct {
	*world
	t       testing.TB
	handler http.Handler
	api     *API
	log     *bytes.Buffer
	mu      *sync.Mutex // for log
}

// lockedWriter lets several requests write into one log.
type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func newService(t testing.TB, change ...func(*Options)) *service {
	t.Helper()
	w, err := country()
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Trust: trust.Guard{Store: w.store, MaxAge: 1000 * time.Hour, Now: time.Now}, Now: time.Now,
		Keys:    apikey.NewKeeper(apikey.Options{Now: time.Now}),
		MaxBody: 4 << 20, MaxDocument: 1 << 34, MaxBatch: 50, Verifications: 4, Wait: time.Minute,
		Observe: func(string, string, reason.Code) {},
	}
	for _, f := range change {
		f(&o)
	}
	s := &service{world: w, t: t, api: New(o), log: new(bytes.Buffer), mu: new(sync.Mutex)}
	e := request.NewEngine(request.Options{
		Host: "test", Log: slog.New(slog.NewJSONHandler(lockedWriter{s.mu, s.log}, nil)), Now: time.Now,
		Refuse: func(w http.ResponseWriter, r *http.Request, code reason.Code) {
			problem.Write(w, problem.New(code, "", request.From(r.Context()).ID))
		},
		Observe: func(request.Outcome) {},
	})
	s.api.Routes(e)
	pages, err := page.New(page.Site{PublicURL: "https://public.example", Upload: true})
	if err != nil {
		t.Fatal(err)
	}
	s.api.People(e, pages)
	s.handler = e
	return s
}

// signatory is a person of the country, ready to sign.
func (s *service) signatory(id string) cms.Signatory {
	p := s.Person(id)
	return cms.Signatory{Key: p.Key, Certificate: p.Certificate, Time: time.Now().Add(-time.Minute),
		Chain: []*gostx509.Certificate{p.Issuer.Certificate}}
}

func (s *service) attached(id, document string) []byte {
	s.t.Helper()
	file, err := cms.Create(nil, []byte(document), s.signatory(id))
	if err != nil {
		s.t.Fatal(err)
	}
	return file
}

func (s *service) detached(id string, document io.Reader) []byte {
	s.t.Helper()
	file, err := cms.CreateDetached(nil, document, s.signatory(id))
	if err != nil {
		s.t.Fatal(err)
	}
	return file
}

// do sends a request; headers are names and values.
func (s *service) do(target, contentType string, body io.Reader, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, target, body)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// verdict is what tests look at in a verdict document or a problem document.
type answerDoc struct {
	ID            string      `json:"id"`
	Status        int         `json:"status"`
	Conclusion    string      `json:"conclusion"`
	SubIndication string      `json:"sub_indication"`
	Code          reason.Code `json:"code"`
	Text          report.Text `json:"text"`
	Type          string      `json:"type"`
	Title         string      `json:"title"`
	Detail        string      `json:"detail"`
	SupportCode   string      `json:"support_code"`
	Trust         struct {
		ID string `json:"id"`
	} `json:"trust"`
	Signatures []struct {
		Signer *struct{ Name string } `json:"signer"`
	} `json:"signatures"`
	Verdict *answerDoc   `json:"verdict"`
	Problem *answerDoc   `json:"problem"`
	Results []*answerDoc `json:"results"`
}

func decodeAnswer(t testing.TB, body []byte) *answerDoc {
	t.Helper()
	var d answerDoc
	if err := json.Unmarshal(body, &d); err != nil {
		t.Fatalf("%v:\n%s", err, body)
	}
	return &d
}

// file is one part of a form.
type file struct {
	name, filename string
	data           []byte
}

func formBody(t testing.TB, files ...file) (contentType string, body *bytes.Buffer) {
	t.Helper()
	body = new(bytes.Buffer)
	w := multipart.NewWriter(body)
	for _, f := range files {
		part, err := w.CreateFormFile(f.name, f.filename)
		if err != nil {
			t.Fatal(err)
		}
		part.Write(f.data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), body
}

func b64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// object makes a JSON object of names and values that are bytes.
func object(fields ...any) string {
	var parts []string
	for i := 0; i < len(fields); i += 2 {
		value := fields[i+1]
		if raw, ok := value.([]byte); ok {
			value = b64(raw)
		}
		text, err := json.Marshal(value)
		if err != nil {
			panic(err)
		}
		parts = append(parts, `"`+fields[i].(string)+`":`+string(text))
	}
	return "{" + strings.Join(parts, ",") + "}"
}
