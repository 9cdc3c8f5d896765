package agent

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/pki/reason"
	"propusk/server/signrequest"
)

func set(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Del(name)
		if value != "" {
			r.Header.Set(name, value)
		}
	}
}

// TestHost lets in who names the address that the request came to, exactly: a name that
// an attacker points at 127.0.0.1 is not it.
func TestHost(t *testing.T) {
	w := newWorld(t, nil)
	_, jws := w.request()
	at := strings.TrimPrefix(w.url, "http://")
	_, port, _ := strings.Cut(at, ":")
	for _, host := range []string{"attacker.example:" + port, "localhost:" + port, "127.0.0.1", "127.0.0.1:1", "127.0.0.2:" + port, "[::1]:" + port, at + ".", "127.0.0.1.:" + port} {
		for _, path := range []string{"/", "/status", "/sign?request=" + jws} {
			w.want(w.get(w.url+path, func(r *http.Request) { r.Host = host }), 403, reason.AgentHostWrong)
		}
	}
	w.want(w.get(w.url+"/sign?request="+jws), 200, "") // the request was not used up
}

// TestLoopback serves on 127.0.0.1 and nowhere else.
func TestLoopback(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "[::1]:0", "[::]:0", "127.0.0.2:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Logf("%s: %v", address, err) // a machine without IPv6
			continue
		}
		a, err := New(Options{})
		must(t, err)
		if err := a.Serve(t.Context(), l); err == nil || errors.Is(err, http.ErrServerClosed) {
			t.Errorf("%s: served, %v", address, err)
		}
		if _, err := l.Accept(); err == nil {
			t.Errorf("%s: left open", address)
		}
	}
}

// TestFetchMetadata lets a tab in, and nobody else: no script, frame, image or worker of
// any page, and no browser that does not tell.
func TestFetchMetadata(t *testing.T) {
	w := newWorld(t, []string{"ip"})
	_, jws := w.request()
	_, p := w.visit()
	pin := w.choose(p, "ip")
	for _, address := range []string{w.url + "/sign?request=" + jws, p.url, pin.url} {
		for _, spoil := range [][]func(*http.Request){
			{set("Sec-Fetch-Mode", "no-cors"), set("Sec-Fetch-Dest", "script")},
			{set("Sec-Fetch-Mode", "cors"), set("Sec-Fetch-Dest", "empty")},
			{set("Sec-Fetch-Mode", "websocket"), set("Sec-Fetch-Dest", "websocket")},
			{set("Sec-Fetch-Dest", "iframe")}, {set("Sec-Fetch-Dest", "object")}, {set("Sec-Fetch-Dest", "")}, {set("Sec-Fetch-Mode", "")},
			{set("Sec-Fetch-Mode", ""), set("Sec-Fetch-Dest", "")},
		} {
			w.want(w.get(address, spoil...), 403, reason.AgentNotNavigation)
		}
	}
	// What says nothing about a person may be read by programs, but not by scripts.
	for _, address := range []string{w.url + "/", w.url + "/status"} {
		if p := w.get(address, set("Sec-Fetch-Mode", ""), set("Sec-Fetch-Dest", "")); p.status != 200 || strings.Contains(p.text, "Примеров") {
			t.Errorf("%s: status %d", address, p.status)
		}
		w.want(w.get(address, set("Sec-Fetch-Mode", "cors"), set("Sec-Fetch-Dest", "empty")), 403, reason.AgentNotNavigation)
	}
	w.want(w.get(w.url+"/sign?request="+jws), 200, "")
}

// TestForms takes a form of its own page, once.
func TestForms(t *testing.T) {
	w := newWorld(t, []string{"ip"})
	_, p := w.visit()
	pin := w.choose(p, "ip")
	form := func() url.Values {
		return url.Values{"form": {pin.field("form")}, "certificate": {pin.field("certificate")}, "pin": {testPIN}}
	}
	address, _, _ := strings.Cut(pin.url, "?")
	for name, spoil := range map[string]func(*http.Request){
		"foreign origin": set("Origin", "https://attacker.example"), "gateway": set("Origin", w.gateway.URL), "null": set("Origin", "null"),
		"no origin": set("Origin", ""), "https": set("Origin", strings.Replace(w.url, "http", "https", 1)),
		"another port": set("Origin", "http://127.0.0.1:1"), "localhost": set("Origin", strings.Replace(w.url, "127.0.0.1", "localhost", 1)),
		"two": func(r *http.Request) { r.Header.Add("Origin", w.url) }, "cross-site": set("Sec-Fetch-Site", "cross-site"),
		"same-site": set("Sec-Fetch-Site", "same-site"), "no site": set("Sec-Fetch-Site", ""),
	} {
		for _, target := range []string{address, p.url + "/cancel"} {
			if got := w.navigate(http.MethodPost, target, form(), spoil); got.status != 403 || got.code() != reason.AgentOriginForeign {
				t.Errorf("%s: status %d, %q", name, got.status, got.code())
			}
		}
	}
	for name, token := range map[string]string{"none": "", "invented": "AAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		stale := form()
		stale.Set("form", token)
		if got := w.navigate(http.MethodPost, address, stale); got.status != 409 || got.code() != reason.AgentFormStale {
			t.Errorf("%s: status %d, %q", name, got.status, got.code())
		}
	}
	twice := form()
	twice.Add("certificate", "other")
	w.want(w.navigate(http.MethodPost, address, twice), 409, reason.AgentFormStale)
	long := form()
	long.Set("more", strings.Repeat("a", maxForm))
	w.want(w.navigate(http.MethodPost, address, long), 409, reason.AgentFormStale)
	if w.tries("ip") != 10 {
		t.Fatal("a try was spent")
	}
	wrong := form()
	wrong.Set("pin", "00000000")
	w.want(w.navigate(http.MethodPost, address, wrong), 403, reason.TokenPINWrong)
	w.want(w.navigate(http.MethodPost, address, wrong), 409, reason.AgentFormStale)
	if w.tries("ip") != 9 {
		t.Error("a form spent two tries")
	}
}

// TestHeaders holds every page to its policy: no frames, no caches, nothing from outside,
// forms to ourselves, and the answer to the gateway that asked.
func TestHeaders(t *testing.T) {
	w := newWorld(t, []string{"ip"})
	_, p := w.visit()
	pin := w.choose(p, "ip")
	done := w.enter(pin, testPIN)
	for name, one := range map[string]struct {
		page                 page
		action, script, sent string
	}{
		"home":       {w.get(w.url + "/"), "'none'", "", "no-referrer"},
		"status":     {w.get(w.url + "/status"), "'none'", "", "no-referrer"},
		"not found":  {w.get(w.url + "/nothing"), "'none'", "", "no-referrer"},
		"choice":     {p, "'self'", "", "same-origin"},
		"pin":        {pin, "'self'", "", "same-origin"},
		"failure":    {w.get(w.url + "/visit/unknown"), "'none'", "", "no-referrer"},
		"host":       {w.get(w.url+"/", func(r *http.Request) { r.Host = "attacker.example" }), "'none'", "", "no-referrer"},
		"the answer": {done, w.gateway.URL, "script-src 'nonce-", "no-referrer"},
	} {
		policy := one.page.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action " + one.action + ";", one.script} {
			if !strings.Contains(policy+";", want) {
				t.Errorf("%s: %q is not in the policy %q", name, want, policy)
			}
		}
		if one.script == "" && strings.Contains(policy, "script-src") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: scripts: %q", name, policy)
		}
		for header, want := range map[string]string{
			"X-Frame-Options": "DENY", "Cache-Control": "no-store", "Referrer-Policy": one.sent, "X-Content-Type-Options": "nosniff",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Access-Control-Allow-Origin": "",
		} {
			if got := one.page.header.Get(header); got != want {
				t.Errorf("%s: %s: %q, want %q", name, header, got, want)
			}
		}
		for _, outside := range []string{`src="`, `<link`, `url(`, `<img`, `<iframe`, `@import`} {
			if strings.Contains(one.page.text, outside) {
				t.Errorf("%s: %s in the page", name, outside)
			}
		}
	}
	nonce := func(p page) string {
		_, after, _ := strings.Cut(p.text, `<style nonce="`)
		n, _, _ := strings.Cut(after, `"`)
		return n
	}
	if a, b := nonce(w.get(w.url+"/")), nonce(w.get(w.url+"/")); a == b || len(a) < 20 {
		t.Errorf("nonces %q and %q", a, b)
	}
	if strings.Count(done.text, `<script nonce="`+nonce(done)+`">`) != 1 || !strings.Contains(done.text, `<button class="button" type="submit">`) {
		t.Error("no script with the nonce, or no button without scripts")
	}
}

// TestReplay signs once for a request, whatever comes again.
func TestReplay(t *testing.T) {
	w := newWorld(t, []string{"ip"})
	_, jws := w.request()
	p := w.get(w.url + "/sign?request=" + jws)
	if again := w.get(w.url + "/sign?request=" + jws); again.url != p.url {
		t.Errorf("a click came twice and led to %s and %s", p.url, again.url)
	}
	pin := w.choose(p, "ip")
	other := w.choose(p, "ip")
	done := w.enter(pin, testPIN)
	_, signature, _ := w.answer(done)
	if len(signature) == 0 {
		t.Fatal("no signature")
	}
	w.want(w.get(w.url+"/sign?request="+jws), 409, reason.AgentRequestUsed)
	w.want(w.navigate(http.MethodPost, w.url+"/sign", url.Values{"request": {jws}}), 409, reason.AgentRequestUsed)
	w.want(w.enter(other, testPIN), 409, reason.AgentRequestUsed)
	w.want(w.navigate(http.MethodPost, p.url+"/cancel", url.Values{"form": {p.field("form")}}), 409, reason.AgentRequestUsed)
	// The other signature of ECDSA over the same request is no other request.
	if flipped := malleable(t, jws); flipped != jws {
		w.want(w.get(w.url+"/sign?request="+flipped), 409, reason.AgentRequestUsed)
	}
	// The way back in the browser leads to the same answer.
	if _, same, _ := w.answer(w.get(p.url)); !bytes.Equal(same, signature) {
		t.Error("another signature")
	}
	w.clock.forward(visitLife + time.Second)
	w.want(w.get(p.url), 404, reason.AgentVisitUnknown)
	w.want(w.get(w.url+"/sign?request="+jws), 403, reason.SignRequestExpired)
}

// TestCancel brings the gateway a no, once.
func TestCancel(t *testing.T) {
	w := newWorld(t, []string{"ip"})
	r, p := w.visit()
	state, signature, failure := w.answer(w.navigate(http.MethodPost, p.url+"/cancel", url.Values{"form": {p.field("form")}}))
	if state != r.State || len(signature) != 0 || failure != "cancelled" {
		t.Errorf("state %q, %d bytes, %q", state, len(signature), failure)
	}
	_, p = w.visit()
	failed := w.get(p.url + "/pin?certificate=none")
	w.want(failed, 404, reason.AgentCertificateGone)
	if _, _, failure = w.answer(w.navigate(http.MethodPost, p.url+"/cancel", url.Values{"form": {failed.field("form")}, "why": {failed.field("why")}})); failure != "failed" {
		t.Errorf("%q", failure)
	}
}

// TestRequests refuses requests of those that were not enrolled, of another origin, too
// old, and spoilt.
func TestRequests(t *testing.T) {
	w := newWorld(t, []string{"ip"})
	otherKey, other := newGateway(t, w.gateway.URL)
	must(t, other.Check())
	r, jws := w.request()
	foreign, err := signrequest.Sign(r, otherKey)
	must(t, err)
	elsewhere := r
	elsewhere.Issuer, elsewhere.ReturnTo = "https://attacker.example", "https://attacker.example/signed"
	speaking, err := signrequest.Sign(elsewhere, w.key)
	must(t, err)
	for name, one := range map[string]struct {
		request string
		status  int
		code    reason.Code
	}{
		"nothing":          {"", 400, reason.SignRequestMalformed},
		"not a request":    {"abc", 400, reason.SignRequestMalformed},
		"unknown key":      {foreign, 403, reason.SignRequestGatewayUnknown},
		"another origin":   {speaking, 403, reason.SignRequestForeign},
		"broken signature": {jws[:len(jws)-8] + "AAAAAAAA", 403, reason.SignRequestSignature},
	} {
		got := w.get(w.url + "/sign?request=" + url.QueryEscape(one.request))
		if got.status != one.status || got.code() != one.code {
			t.Errorf("%s: status %d, %q; want %d, %q", name, got.status, got.code(), one.status, one.code)
		}
	}
	w.want(w.get(w.url+"/sign?request="+jws+"&request="+jws), 400, reason.SignRequestMalformed)
	w.clock.forward(signrequest.Life + signrequest.Skew + time.Second)
	w.want(w.get(w.url+"/sign?request="+jws), 403, reason.SignRequestExpired)

	long := func(r *signrequest.Request) {
		r.Purpose, r.Text = signrequest.SignText, strings.Repeat("Пункт. ", 3000)
	}
	_, text := w.request(long)
	w.want(w.navigate(http.MethodPost, w.url+"/sign", url.Values{"request": {text}}, set("Origin", w.gateway.URL)), 200, "")
	w.want(w.navigate(http.MethodPost, w.url+"/sign", url.Values{"request": {strings.Repeat("a", signrequest.MaxToken+2*maxForm)}}), 400, reason.SignRequestMalformed)
}

// TestManyVisits bounds what a page that opens tabs can fill, and frees it with time.
func TestManyVisits(t *testing.T) {
	w := newWorld(t, nil)
	for range maxVisits {
		if _, p := w.visit(); p.status != 200 {
			t.Fatalf("status %d", p.status)
		}
	}
	_, p := w.visit()
	w.want(p, 429, reason.AgentBusy)
	w.clock.forward(visitLife + time.Second)
	_, p = w.visit()
	w.want(p, 200, "")
}

// TestConcurrentPIN sends one PIN at a time, and each form once, however many tabs send
// at once.
func TestConcurrentPIN(t *testing.T) {
	w := newWorld(t, []string{"ip"})
	_, p := w.visit()
	pin := w.choose(p, "ip")
	var wait sync.WaitGroup
	codes := make([]reason.Code, 8)
	for i := range codes {
		wait.Go(func() { codes[i] = w.enter(pin, "00000000").code() })
	}
	wait.Wait()
	wrong := 0
	for _, code := range codes {
		switch code {
		case reason.TokenPINWrong:
			wrong++
		case reason.AgentFormStale:
		default:
			t.Errorf("%q", code)
		}
	}
	if wrong != 1 || w.tries("ip") != 9 {
		t.Errorf("%d PINs were sent, %d tries are left", wrong, w.tries("ip"))
	}
}
