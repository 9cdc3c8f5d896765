package refresh

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"propusk/certs"
	"propusk/certs/fetch"
	"propusk/certs/testpki"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/tsl"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// moment is when all tests begin.
var moment = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// world is a country whose lists are published on a server, and a gateway that has
// only its roots.
type world struct {
	t        *testing.T
	country  *testpki.Country
	server   *httptest.Server
	dir      string // the trust directory: roots, pins and who signs the list
	stateDir string
	store    *certs.Store
	client   *fetch.Client
	*Refresher

	mu    sync.Mutex
	now   time.Time
	files map[string]http.HandlerFunc
	asked []string
}

// newWorld makes one. Options are those of the refresher, with URLs relative to the
// server.
func newWorld(t *testing.T, o Options) *world {
	t.Helper()
	w := &world{t: t, now: moment, files: make(map[string]http.HandlerFunc), stateDir: filepath.Join(t.TempDir(), "state")}
	w.server = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.server.Close)
	var err error
	w.country, err = testpki.New(testpki.Options{
		Now: moment, BaseURL: w.server.URL, Rand: rand.NewChaCha8(sha256.Sum256([]byte(t.Name()))),
	})
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := w.country.WriteTo(root); err != nil {
		t.Fatal(err)
	}
	w.dir = filepath.Join(root, "trust")
	for _, name := range []string{"tsl.xml", "crls", "intermediates"} {
		if err := os.RemoveAll(filepath.Join(w.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	w.publish("/tsl.xml", w.country.TSL())
	for _, a := range w.country.Authorities() {
		w.publish(w.crlPath(a.ID), w.country.CRL(a.ID))
	}
	w.restart(o)
	return w
}

// crlPath is where the list of a CA is published.
func (w *world) crlPath(id string) string {
	w.t.Helper()
	for _, p := range w.country.People() {
		if p.Issuer.ID == id {
			return w.path(p.Certificate.CRLDistributionPoints[0])
		}
	}
	for _, a := range w.country.Authorities() {
		if a.Parent != nil && a.Parent.ID == id {
			return w.path(a.Certificate.CRLDistributionPoints[0])
		}
	}
	return "/nobody/" + id
}

func (w *world) path(address string) string {
	w.t.Helper()
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, w.server.URL) {
		w.t.Fatal(address, err)
	}
	return u.Path
}

// restart begins with nothing but what is on the disk.
func (w *world) restart(o Options) {
	w.t.Helper()
	u, err := url.Parse(w.server.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		w.t.Fatal(err)
	}
	w.client, err = fetch.New(fetch.Options{Hosts: []string{u.Hostname()}, Ports: []uint16{uint16(port)}, AllowPrivate: true, Failures: 1 << 20, Now: w.clock})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(w.client.Close)
	w.store = certs.NewStore(certs.Source{Dir: w.dir, State: w.stateDir}, w.clock)
	if err := w.store.Reload(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if o.ListURLs == nil {
		o.ListURLs = []string{"/tsl.xml"}
	}
	full := func(paths []string) []string {
		var all []string
		for _, p := range paths {
			all = append(all, w.server.URL+p)
		}
		return all
	}
	o.ListURLs, o.CRLURLs = full(o.ListURLs), full(o.CRLURLs)
	o.Store, o.Getter, o.Now = w.store, w.client, w.clock
	w.Refresher = New(o)
	w.random = func() float64 { return 0.5 } // no jitter
}

func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	h := w.files[r.URL.Path]
	w.asked = append(w.asked, r.URL.Path)
	w.mu.Unlock()
	if h == nil {
		http.NotFound(rw, r)
		return
	}
	h(rw, r)
}

func (w *world) handle(path string, h http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files[path] = h
}

func (w *world) publish(path string, data []byte) {
	w.handle(path, func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write(data) })
}

// since returns what has been asked since the last call.
func (w *world) since() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	asked := w.asked
	w.asked = nil
	slices.Sort(asked)
	return asked
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) later(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// refresh makes a pass over everything, or what is due.
func (w *world) refresh(all bool) Summary {
	w.t.Helper()
	sum, err := w.do(w.t.Context(), all)
	if err != nil {
		w.t.Fatal(err)
	}
	return sum
}

// crl makes a list of a CA.
func (w *world) crl(id string, change func(*crl.Template)) []byte {
	w.t.Helper()
	a := w.country.Authority(id)
	template := w.country.CRLTemplate(a)
	change(&template)
	data, err := w.country.IssueCRL(a, template)
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

// list makes a list of accredited CAs.
func (w *world) list(signer string, change func(*tsl.Content)) []byte {
	w.t.Helper()
	content := w.country.TSLContent()
	change(content)
	data, err := w.country.SignTSL(content, w.country.Authority(signer))
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

// judge returns why a person may not enter, empty if he may.
func (w *world) judge(id string) reason.Code {
	v := validate.Validator{Trust: w.store.Current().Trust(), Policy: validate.QES()}
	got := v.ParsedCertificate(w.country.Person(id).Certificate, nil, w.clock())
	if got.Verdict.Status() == verdict.Passed {
		return ""
	}
	return got.Verdict.Why()
}

// TestFromNothing: a gateway that has only pinned roots fetches the rest, and has it
// after a restart with nobody to ask.
func TestFromNothing(t *testing.T) {
	w := newWorld(t, Options{})
	if code := w.judge("ip"); code == "" {
		t.Fatal("somebody passes without a list")
	}
	if sum := w.refresh(true); sum.Failed != 0 || sum.Changed < 5 {
		t.Fatalf("%+v, %+v", sum, w.Status().Refused)
	}
	for id, want := range map[string]reason.Code{"ip": "", "ip512": "", "revoked": reason.CertRevoked, "terminated-ca": reason.CANotAccredited} {
		if code := w.judge(id); code != want {
			t.Errorf("%s: %q, want %q", id, code, want)
		}
	}
	id := w.store.Current().ID()
	w.server.Close()
	w.restart(Options{})
	if code := w.judge("ip"); code != "" || w.store.Current().ID() != id {
		t.Errorf("after a restart: %q, %s", code, w.store.Current().ID())
	}
	sum := w.refresh(true)
	if sum.Changed != 0 || sum.Failed != sum.Asked || w.judge("ip") != "" {
		t.Errorf("with nobody to ask: %+v, %q", sum, w.judge("ip"))
	}
	if s := w.Status(); s.Failing != sum.Asked || s.Counts[reason.FetchFailed] == 0 || s.Lists[0].Kind != "tsl" || s.Lists[0].Code != reason.FetchFailed {
		t.Errorf("%+v", s)
	}
}

// badAnswers are what a server may say instead of a revocation list of «fns».
func badAnswers(w *world) map[string]struct {
	answer http.HandlerFunc
	code   reason.Code
} {
	say := func(data []byte) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write(data) }
	}
	newer := w.crl("fns", func(l *crl.Template) { l.ThisUpdate = moment })
	flipped := bytes.Clone(newer)
	flipped[len(flipped)-1] ^= 1
	return map[string]struct {
		answer http.HandlerFunc
		code   reason.Code
	}{
		"empty":     {say(nil), reason.FetchEmpty},
		"truncated": {say(newer[:len(newer)/2]), reason.CRLMalformed},
		"a page":    {say([]byte("<!DOCTYPE html><html><body>Сервис временно недоступен</body></html>")), reason.CRLMalformed},
		"flipped":   {say(flipped), reason.CRLSignatureBad},
		"a CA less": {say(w.country.CRL("commercial")), reason.CRLIssuerMismatch},
		"stranger":  {say(w.country.CRL("unknown")), reason.TrustCRLIssuerUnknown},
		"expired": {say(w.crl("fns", func(l *crl.Template) {
			l.ThisUpdate, l.NextUpdate = moment.Add(-time.Minute), moment.Add(-time.Second)
		})), reason.TrustCRLExpired},
		"future": {say(w.crl("fns", func(l *crl.Template) { l.ThisUpdate = moment.Add(time.Hour) })), reason.TrustCRLFuture},
		"gone":   {http.NotFound, reason.FetchRefused},
		"broken": {func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Length", "100000")
			_, _ = rw.Write(newer)
		}, reason.FetchFailed},
		"packed": {func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Encoding", "gzip")
			_, _ = rw.Write(newer)
		}, reason.FetchEncoded},
	}
}

// TestBadRevocationLists: no answer but the list makes a certificate good, and none
// takes the place of the last good list.
func TestBadRevocationLists(t *testing.T) {
	w := newWorld(t, Options{})
	path := w.crlPath("fns")
	w.handle(path, nil)
	w.refresh(true)
	bad := badAnswers(w)
	for name, b := range bad {
		w.handle(path, b.answer)
		if sum := w.refresh(true); sum.Failed == 0 {
			t.Errorf("%s: %+v", name, sum)
		}
		if code := w.judge("ip"); code != reason.RevocationUnknown {
			t.Errorf("%s makes it %q", name, code)
		}
		if last := w.records[len(w.records)-1]; last.Code != b.code || !strings.HasSuffix(last.URL, path) || last.Cause == "" {
			t.Errorf("%s is recorded as %+v, want %q", name, last, b.code)
		}
	}
	w.publish(path, w.country.CRL("fns"))
	w.refresh(true)
	if code := w.judge("ip"); code != "" {
		t.Fatalf("with the list: %q", code)
	}
	id := w.store.Current().ID()
	bad["older"] = struct {
		answer http.HandlerFunc
		code   reason.Code
	}{func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = rw.Write(w.crl("fns", func(l *crl.Template) { l.ThisUpdate = l.ThisUpdate.Add(-time.Hour) }))
	}, reason.TrustCRLRollback}
	for name, b := range bad {
		w.handle(path, b.answer)
		w.refresh(true)
		if code := w.judge("ip"); code != "" || w.store.Current().ID() != id {
			t.Errorf("%s takes the place of the list: %q", name, code)
		}
		if last := w.records[len(w.records)-1]; last.Code != b.code {
			t.Errorf("%s is recorded as %+v, want %q", name, last, b.code)
		}
	}
	revoking := w.crl("fns", func(l *crl.Template) {
		l.ThisUpdate = moment
		l.Entries = append(l.Entries, crl.Entry{Serial: w.country.Person("ip").Certificate.Serial, RevokedAt: moment.Add(-time.Minute)})
	})
	w.publish(path, revoking)
	w.refresh(true)
	if code := w.judge("ip"); code != reason.CertRevoked {
		t.Errorf("the next list: %q", code)
	}
}

// TestBadLists: the same for the list of accredited CAs.
func TestBadLists(t *testing.T) {
	w := newWorld(t, Options{})
	w.refresh(true)
	id := w.store.Current().ID()
	newer := w.list("head-256", func(l *tsl.Content) { l.Version++ })
	for name, bad := range map[string]struct {
		data []byte
		code reason.Code
	}{
		"empty":     {nil, reason.FetchEmpty},
		"truncated": {newer[:len(newer)/2], reason.XMLMalformed},
		"a page":    {[]byte("<html><body>502 Bad Gateway</body></html>"), reason.TSLMalformed},
		"changed":   {bytes.Replace(newer, []byte("УЦ Образец"), []byte("УЦ Образуц"), 1), reason.TSLNotVerified},
		"stranger":  {w.list("unknown-root", func(l *tsl.Content) { l.Version++ }), reason.TSLNotVerified},
		"older":     {w.list("head-256", func(l *tsl.Content) { l.Version-- }), reason.TrustListRollback},
		"future":    {w.list("head-256", func(l *tsl.Content) { l.Version++; l.Date = moment.AddDate(0, 1, 0) }), reason.TrustListFuture},
	} {
		w.publish("/tsl.xml", bad.data)
		w.refresh(true)
		found := slices.ContainsFunc(w.records, func(r Record) bool {
			return strings.HasSuffix(r.URL, "/tsl.xml") && (r.Code == bad.code || bad.code == reason.XMLMalformed && strings.HasPrefix(string(r.Code), "xml-"))
		})
		if !found || w.store.Current().ID() != id || w.judge("ip") != "" {
			t.Errorf("%s: recorded %t, %q", name, found, w.judge("ip"))
		}
		w.records = nil
	}
	w.publish("/tsl.xml", newer)
	w.refresh(true)
	if v, _ := w.store.Current().TSLVersion(); v != w.country.TSLContent().Version+1 {
		t.Errorf("the next list: version %d", v)
	}
}

// TestAllAddressesAreTried: the list of a CA is had although its first addresses are
// dead, lie, or may not be asked.
func TestAllAddressesAreTried(t *testing.T) {
	w := newWorld(t, Options{ListURLs: []string{"/dead.xml", "/page.xml", "/tsl.xml"}})
	w.publish("/page.xml", []byte("<html></html>"))
	w.publish("/page.crl", []byte("<html></html>"))
	good := w.crlPath("fns")
	w.publish("/mirror.crl", w.crl("fns", func(*crl.Template) {}))
	w.handle(good, nil)
	w.publish("/tsl.xml", w.list("head-256", func(l *tsl.Content) {
		for _, ca := range l.CAs {
			for key := range ca.Keys() {
				if bytes.Equal(key.ID, w.country.Authority("fns").Certificate.SubjectKeyID) {
					key.CRLs = []string{"ldap://127.0.0.1/cn=fns", "http://10.0.0.1/fns.crl", w.server.URL + "/dead.crl",
						w.server.URL + "/page.crl", w.server.URL + "/mirror.crl", w.server.URL + good}
				}
			}
		}
	}))
	if sum := w.refresh(true); sum.Failed != 0 {
		t.Errorf("%+v: %+v", sum, w.records)
	}
	if code := w.judge("ip"); code != "" {
		t.Error(code)
	}
	for _, l := range w.Status().Lists {
		if l.Kind == "tsl" && !strings.HasSuffix(l.From, "/tsl.xml") || slices.Contains(l.URLs, w.server.URL+"/mirror.crl") && !strings.HasSuffix(l.From, "/mirror.crl") {
			t.Errorf("%+v", l)
		}
		for _, u := range l.URLs {
			if !strings.HasPrefix(u, w.server.URL) {
				t.Errorf("%s may not be asked, and is a target", u)
			}
		}
	}
}

// TestSchedule: lists are fetched before they are due and not all the time, and one
// that cannot be had is tried again, less and less often.
func TestSchedule(t *testing.T) {
	w := newWorld(t, Options{Interval: 4 * time.Hour, MinInterval: 5 * time.Minute, ListInterval: 24 * time.Hour})
	path := w.crlPath("fns")
	w.publish(path, w.crl("fns", func(l *crl.Template) { l.NextUpdate = moment.Add(2 * time.Hour) }))
	w.refresh(false)
	if asked := w.since(); !slices.Contains(asked, path) || !slices.Contains(asked, "/tsl.xml") {
		t.Fatalf("at first: %v", asked)
	}
	if got := w.next(); !got.Equal(moment.Add(90 * time.Minute)) {
		t.Errorf("next at %s", got)
	}
	w.later(89 * time.Minute)
	w.refresh(false)
	if asked := w.since(); len(asked) != 0 {
		t.Errorf("before: %v", asked)
	}
	w.handle(path, nil)
	for _, wait := range []time.Duration{time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute} {
		w.later(wait - 1)
		w.refresh(false)
		early := w.since()
		w.later(1)
		w.refresh(false)
		if asked := w.since(); len(early) != 0 || !slices.Equal(asked, []string{path}) {
			t.Errorf("after %s: early %v, then %v", wait, early, asked)
		}
	}
	w.publish(path, w.crl("fns", func(l *crl.Template) { l.ThisUpdate, l.NextUpdate = moment.Add(time.Hour), moment.Add(48*time.Hour) }))
	w.later(4 * time.Hour)
	w.refresh(false)
	if asked := w.since(); !slices.Contains(asked, path) || slices.Contains(asked, "/tsl.xml") {
		t.Errorf("at last: %v", asked)
	}
	if s := w.Status(); s.Failing != 0 {
		t.Errorf("%+v", s)
	}
	if next := w.next(); !next.Equal(w.clock().Add(4 * time.Hour)) {
		t.Errorf("next at %s, it is %s", next, w.clock())
	}
}

// TestPatience: a list that was never had is asked for ever more rarely, up to eight
// times as rarely as one that is at hand.
func TestPatience(t *testing.T) {
	w := newWorld(t, Options{NoDiscovered: true, CRLURLs: []string{"/gone.crl"}, Interval: time.Hour, MinInterval: 5 * time.Minute, ListInterval: 90 * 24 * time.Hour})
	w.refresh(false)
	for _, want := range []time.Duration{5, 10, 20, 40, 80, 160, 320, 480, 480} {
		at := w.clock()
		if got := slices.MinFunc(w.Status().Lists, func(a, b List) int { return a.Next.Compare(b.Next) }).Next.Sub(at); got != want*time.Minute {
			t.Errorf("after %s, want %s", got, want*time.Minute)
		}
		w.later(want * time.Minute)
		w.refresh(false)
	}
	if asked := w.since(); len(asked) != 11 {
		t.Errorf("asked %d times: %v", len(asked), asked)
	}
}

// TestUnchanged: a server that knows what it said last is believed only while the
// list is in its dates.
func TestUnchanged(t *testing.T) {
	w := newWorld(t, Options{NoDiscovered: true})
	w.refresh(true) // the CA certificates are in the list
	w.restart(Options{ListURLs: []string{}, CRLURLs: []string{"/fns.crl"}, NoDiscovered: true})
	data := w.crl("fns", func(l *crl.Template) { l.NextUpdate = moment.Add(time.Hour) })
	var conditional []string
	w.handle("/fns.crl", func(rw http.ResponseWriter, r *http.Request) {
		conditional = append(conditional, r.Header.Get("If-None-Match"))
		rw.Header().Set("ETag", `"same"`)
		if r.Header.Get("If-None-Match") != "" {
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = rw.Write(data)
	})
	for i, want := range []Summary{{Asked: 1, Changed: 1}, {Asked: 1, Unchanged: 1}} {
		if got := w.refresh(true); got != want {
			t.Errorf("%d: %+v", i, got)
		}
	}
	w.later(2 * time.Hour)
	if got := w.refresh(true); got != (Summary{Asked: 1, Failed: 1}) {
		t.Errorf("the same list, expired: %+v", got)
	}
	if !slices.Equal(conditional, []string{"", `"same"`, ""}) {
		t.Errorf("asked with %q", conditional)
	}
}

// TestSaw: the lists that judged certificates name are fetched, and no more of them
// than there is room for.
func TestSaw(t *testing.T) {
	w := newWorld(t, Options{})
	w.publish("/tsl.xml", w.list("head-256", func(l *tsl.Content) {
		for _, ca := range l.CAs {
			for key := range ca.Keys() {
				key.CRLs = nil
			}
		}
	}))
	w.refresh(true)
	if code := w.judge("ip"); code != reason.RevocationUnknown {
		t.Fatal(code)
	}
	fns := w.country.Authority("fns").Certificate
	w.Saw(w.country.Person("ip").Certificate, fns)
	select {
	case <-w.wake:
	default:
		t.Error("Run is not told")
	}
	w.refresh(false)
	if code := w.judge("ip"); code != "" {
		t.Errorf("%q: %+v", code, w.records)
	}
	made := *w.country.Person("ip").Certificate
	delta := w.server.URL + "/delta.crl"
	made.Extensions = append(slices.Clip(made.Extensions), freshest(t, delta))
	w.Saw(&made, fns)
	if !slices.ContainsFunc(w.seen.targets(), func(t *target) bool { return slices.Equal(t.urls, []string{delta}) }) {
		t.Error("the delta list of a certificate is not looked for")
	}
	for i := range 3 * maxOfOneCA {
		made.CRLDistributionPoints = []string{fmt.Sprintf("%s/%d.crl", w.server.URL, i)}
		w.Saw(&made, fns)
	}
	if n := len(w.seen.sets); n != maxOfOneCA {
		t.Errorf("%d sets of one CA", n)
	}
	for i := range 2 * maxSeen {
		ca := *fns
		ca.SubjectKeyID = fmt.Append(nil, i)
		w.Saw(&made, &ca)
	}
	if n := len(w.seen.sets); n != maxSeen || len(w.seen.perCA) > maxSeen {
		t.Errorf("%d sets, of %d CAs", n, len(w.seen.perCA))
	}
}

// freshest is the extension freshestCRL (RFC 5280, Section 4.2.1.15) with one address.
func freshest(t *testing.T, url string) gostx509.Extension {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
					b.AddASN1(asn1.Tag(6).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(url)) })
				})
			})
		})
	})
	der, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return gostx509.Extension{ID: []int{2, 5, 29, 46}, Value: der}
}

// TestMerge: mirrors of a list are one list, partial lists are several.
func TestMerge(t *testing.T) {
	fns, other := certs.Wanted{KeyID: []byte{1}}, certs.Wanted{KeyID: []byte{2}}
	got := merge([]*target{
		{want: fns, urls: []string{"a", "b"}},
		{want: other, urls: []string{"a"}},
		{want: fns, urls: []string{"c", "d"}},
		{want: fns, urls: []string{"x", "b"}},
		{want: fns, urls: []string{"d", "a"}},
	})
	var text []string
	for _, g := range got {
		text = append(text, fmt.Sprintf("%x %s", g.want.KeyID, g.urls))
	}
	if !slices.Equal(text, []string{"01 [a b x c d]", "02 [a]"}) {
		t.Errorf("%q", text)
	}
}

// TestRun fetches at once, again when asked, and ends with its context, also in the
// middle of a request.
func TestRun(t *testing.T) {
	reloads := make(chan error, 100)
	w := newWorld(t, Options{Reloaded: func(err error) { reloads <- err }})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	wait := func(what string) {
		t.Helper()
		select {
		case err := <-reloads:
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: nothing", what)
		}
	}
	wait("the list")
	wait("revocation lists")
	hung := make(chan struct{}, 100)
	w.handle(w.crlPath("fns"), func(_ http.ResponseWriter, r *http.Request) {
		hung <- struct{}{}
		<-r.Context().Done()
	})
	w.publish("/tsl.xml", w.list("head-256", func(l *tsl.Content) { l.Version++ }))
	w.Ask()
	wait("the next list")
	select {
	case <-hung:
	case <-time.After(time.Minute):
		t.Fatal("not asked")
	}
	cancel()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("no error of the context")
		}
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
	if v, _ := w.store.Current().TSLVersion(); v != w.country.TSLContent().Version+1 {
		t.Errorf("version %d", v)
	}
}

// TestRecordsAreBounded: no server makes us remember without end.
func TestRecordsAreBounded(t *testing.T) {
	r := New(Options{})
	for range 2 * maxRecords {
		r.record(&target{}, "http://a.example/", reason.Errorf(reason.FetchFailed, "%s", strings.Repeat("ж", 10_000)))
	}
	if len(r.records) != maxRecords || len(r.records[0].Cause) > 2*maxCause || r.counts[reason.FetchFailed] != 2*maxRecords {
		t.Errorf("%d records, the first of %d bytes, %d counted", len(r.records), len(r.records[0].Cause), r.counts[reason.FetchFailed])
	}
}

// TestUnchangedElsewhere: a mirror that was good once cannot say «nothing has changed»
// about what was had from another one since.
func TestUnchangedElsewhere(t *testing.T) {
	w := newWorld(t, Options{})
	w.handle("/a.xml", nil)
	w.handle("/b.xml", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("ETag", `"old"`)
		if r.Header.Get("If-None-Match") != "" {
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = rw.Write(w.country.TSL())
	})
	w.restart(Options{ListURLs: []string{"/a.xml", "/b.xml"}, NoDiscovered: true})
	if got := w.refresh(true); got.Failed != 0 {
		t.Fatalf("%+v", got)
	}
	w.publish("/a.xml", w.list("head-256", func(l *tsl.Content) { l.Version++ }))
	if got := w.refresh(true); got != (Summary{Asked: 1, Changed: 1}) {
		t.Fatalf("%+v", got)
	}
	w.handle("/a.xml", nil)
	if got := w.refresh(true); got != (Summary{Asked: 1, Failed: 1}) {
		t.Errorf("%+v", got)
	}
}

// TestTargetsAreBounded: there are not more lists than can be fetched in time.
func TestTargetsAreBounded(t *testing.T) {
	o := Options{Store: certs.NewStore(certs.Source{}, time.Now), NoDiscovered: true}
	for i := range maxTargets + 1 {
		o.CRLURLs = append(o.CRLURLs, fmt.Sprintf("http://a.example/%d.crl", i))
	}
	r := New(o)
	r.discover()
	if len(r.crls) != maxTargets {
		t.Errorf("%d lists", len(r.crls))
	}
}
