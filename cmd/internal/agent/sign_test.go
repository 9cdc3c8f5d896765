package agent

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"propusk/certs"
	"propusk/gost/spki"
	"propusk/gost/streebog"
	"propusk/pki/cms"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/validate"
	"propusk/pki/verdict"
	"propusk/server/signrequest"
	"propusk/tokens"
	"propusk/tokens/soft"
)

// TestSign goes the whole way for every purpose, with keys of both lengths; the verdict
// is that of the gateway's code, and OpenSSL has one too.
func TestSign(t *testing.T) {
	w := newWorld(t, []string{"ip", "ip512"})
	document := []byte("%PDF-1.7 договор")
	sum256, sum512 := streebog.Sum256(document), streebog.Sum512(document)
	for _, id := range []string{"ip", "ip512"} {
		for name, one := range map[string]struct {
			change  func(*signrequest.Request)
			content func(signrequest.Request) []byte
			shown   []string
		}{
			"sign-in": {func(*signrequest.Request) {}, signrequest.Request.Content, []string{"Одноразовое число", "Кабинет испытаний"}},
			"text": {func(r *signrequest.Request) {
				r.Purpose, r.Text = signrequest.SignText, "Согласен с <условиями>\n"
			}, signrequest.Request.Content, []string{"Согласен с &lt;условиями&gt;"}},
			"document": {func(r *signrequest.Request) {
				r.Purpose = signrequest.SignDocument
				r.Document = &signrequest.Document{
					Name: "договор.pdf", MediaType: "application/pdf", Size: int64(len(document)), Streebog256: sum256[:], Streebog512: sum512[:],
				}
			}, func(signrequest.Request) []byte { return document }, []string{"договор.pdf", "application/pdf"}},
		} {
			t.Run(id+" "+name, func(t *testing.T) {
				r, p := w.visit(one.change)
				w.want(p, 200, "")
				pin := w.choose(p, id)
				w.want(pin, 200, "")
				for _, shown := range append(one.shown, w.gateway.URL, "Шлюз испытаний") {
					if !strings.Contains(p.text, shown) || !strings.Contains(pin.text, shown) {
						t.Errorf("%q is not shown on both pages", shown)
					}
				}
				state, signature, failure := w.answer(w.enter(pin, testPIN))
				if state != r.State || failure != "" {
					t.Errorf("state %q, error %q", state, failure)
				}
				w.verify(t, signature, one.content(r), w.country.Person(id).Certificate.SHA256())
				sd, err := cms.Parse(signature)
				must(t, err)
				if said, _ := sd.Signers[0].Description(); said != string(r.Purpose) {
					t.Errorf("the signature says that it is for %q", said)
				}
			})
		}
	}
}

const testPIN = "12345678"

// verify judges a signature as the gateway would, and with OpenSSL.
func (w *world) verify(t *testing.T, signature, content []byte, signer [32]byte) {
	t.Helper()
	dir := t.TempDir()
	must(t, w.country.WriteTo(dir))
	snapshot, err := certs.Load(t.Context(), certs.Source{Dir: filepath.Join(dir, "trust")}, time.Now())
	must(t, err)
	v := validate.Validator{Trust: snapshot.Trust()}
	report := v.Signature(signature, cms.Document(content), time.Now())
	if report.Verdict().Status() != verdict.Passed {
		t.Errorf("verdict %v, %v", report.Verdict().Status(), report.Verdict().Checks())
	}
	sd, err := cms.Parse(signature)
	must(t, err)
	inside, _ := sd.X509()
	if len(inside) != 1 || inside[0].SHA256() != signer {
		t.Errorf("%d certificates, or another signer", len(inside))
	}
	if other := v.Signature(signature, cms.Document(append([]byte("x"), content...)), time.Now()); other.Verdict().Status() == verdict.Passed {
		t.Error("the signature is good for another content")
	}
	opensslVerify(t, signature, content)
}

// opensslVerify lets OpenSSL with gost-engine verify the mathematics of a detached CMS.
func opensslVerify(t *testing.T, signature, content []byte) {
	t.Helper()
	if err := exec.Command("openssl", "engine", "gost").Run(); err != nil {
		if os.Getenv("PROPUSK_REQUIRE_INTEROP") == "1" {
			t.Fatal("no openssl with gost-engine")
		}
		t.Log("OpenSSL was not asked: no openssl with gost-engine")
		return
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"signature": signature, "content": content,
		"cnf": []byte("openssl_conf = o\n[o]\nengines = e\n[e]\ngost = g\n[g]\nengine_id = gost\ndefault_algorithms = ALL\n"),
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "openssl", "cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-in", "signature", "-content", "content", "-out", "out")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "OPENSSL_CONF="+filepath.Join(dir, "cnf"))
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("openssl: %v\n%s", err, said)
	}
}

// unusable are the people whose certificate cannot sign in an entrepreneur, and why, as
// far as the agent knows. Revocation, and accreditation on the day of issue, are for the
// gateway to judge.
func unusable() map[string]reason.Code {
	return map[string]reason.Code{
		"expired": reason.CertExpired, "notyet": reason.CertNotYetValid, "unqualified": reason.NotQualified,
		"ul": reason.WrongHolderKind, "fl": reason.WrongHolderKind, "terminated-ca": reason.CANotAccredited,
		"unknown-ca": reason.CANotListed, "unlisted-ca": reason.CANotListed,
	}
}

// TestUnusable shows why each certificate cannot be used, and that it cannot be chosen
// whatever a browser sends.
func TestUnusable(t *testing.T) {
	people := []string{"ip"}
	for id := range unusable() {
		people = append(people, id)
	}
	w := newWorld(t, people)
	_, p := w.visit()
	if n := strings.Count(p.text, "/pin?certificate="); n != 1 {
		t.Errorf("%d certificates can be chosen, want one", n)
	}
	pin := w.choose(p, "ip")
	for id, code := range unusable() {
		t.Run(id, func(t *testing.T) {
			line := regexp.MustCompile(`(?s)<li data-code="([^"]+)"><strong>` + regexp.QuoteMeta(w.country.Person(id).Name) + `</strong>(.*?)</li>`).FindStringSubmatch(p.text)
			if line == nil || line[1] != string(code) {
				t.Fatalf("want %s: %q", code, line)
			}
			e, _ := reason.Lookup(code)
			cause, _ := e.What()
			remedy, _ := e.Remedy()
			if !strings.Contains(line[2], cause) || !strings.Contains(line[2], remedy) {
				t.Errorf("cause or remedy is not shown: %s", line[2])
			}
			one := newCandidate(w.device(id), w.country.Person(id).Certificate.Raw)
			w.want(w.get(strings.Split(pin.url, "?")[0]+"?certificate="+one.id), 403, code)
			forged := pin
			forged.text = strings.Replace(w.get(pin.url).text, pin.field("certificate"), one.id, 1)
			w.want(w.enter(forged, testPIN), 403, code)
			if tries := w.tries(id); tries != 10 {
				t.Errorf("%d tries are left", tries)
			}
		})
	}
}

// device returns the token of a person.
func (w *world) device(id string) device {
	w.t.Helper()
	all, troubles := w.agent.shelf.devices(nil)
	for _, d := range all {
		if d.Label() == id {
			return d
		}
	}
	w.t.Fatalf("no token of %s; %v", id, troubles)
	return device{}
}

// tries returns how many wrong PINs the token of a person takes.
func (w *world) tries(id string) int {
	w.t.Helper()
	n, known := w.device(id).TriesLeft()
	if !known {
		w.t.Fatal("the token does not tell its tries")
	}
	return n
}

// TestKeyPeriod refuses a certificate whose private key may sign no more, although the
// certificate is valid.
func TestKeyPeriod(t *testing.T) {
	w := newWorld(t, nil)
	p := w.country.Person("ip")
	template := w.country.PersonTemplate(p)
	template.PrivateKeyUsage.NotAfter = time.Now().Add(-time.Hour)
	issued, err := w.country.Issue(p.Issuer, template, p.Key.PublicKey().Curve())
	must(t, err)
	if code := judge(issued.Certificate, nil, nil, time.Now()); code != reason.KeyPeriodOver {
		t.Errorf("%q", code)
	}
	if code := judge(w.country.Authority("fns").Certificate, nil, nil, time.Now()); code == "" {
		t.Error("a CA may sign in")
	}
	// Without a list nobody is judged by it; any kind of holder will do if none is named.
	for _, id := range []string{"ip", "ul", "unlisted-ca"} {
		if code := judge(w.country.Person(id).Certificate, nil, nil, time.Now()); code != "" {
			t.Errorf("%s: %q", id, code)
		}
	}
	if code := judge(w.country.Person("ul").Certificate, []person.Kind{person.LegalEntity}, nil, time.Now()); code != "" {
		t.Errorf("ul: %q", code)
	}
}

// TestNoList says that accreditation is not judged when the gateway does not tell it.
func TestNoList(t *testing.T) {
	w := newWorld(t, []string{"ip", "unlisted-ca"})
	w.lists.Close()
	_, p := w.visit()
	if !strings.Contains(p.text, `data-code="accreditation-unknown"`) || strings.Count(p.text, "/pin?certificate=") != 2 {
		t.Errorf("want both certificates, and a word about the list:\n%s", p.text)
	}
}

// TestOldList goes on with a list for a day when the gateway is away, and no longer.
func TestOldList(t *testing.T) {
	w := newWorld(t, []string{"unlisted-ca"})
	_, p := w.visit()
	if !strings.Contains(p.text, string(reason.CANotListed)) {
		t.Fatal("the list was not used")
	}
	w.lists.Close()
	w.clock.forward(listLife - time.Hour)
	if _, p = w.visit(); !strings.Contains(p.text, string(reason.CANotListed)) {
		t.Error("a list of today was not used")
	}
	w.clock.forward(2 * time.Hour)
	if _, p = w.visit(); strings.Contains(p.text, string(reason.CANotListed)) || !strings.Contains(p.text, string(reason.AccreditationUnknown)) {
		t.Error("a list of yesterday was used")
	}
}

// TestWrongPIN costs one try each time, says how many are left, asks before the last one,
// and never spends a try by itself.
func TestWrongPIN(t *testing.T) {
	w := newWorld(t, []string{"ip"})
	_, p := w.visit()
	pin := w.choose(p, "ip")
	if !strings.Contains(pin.text, "<strong>10</strong>") {
		t.Errorf("ten tries are not shown:\n%s", pin.text)
	}
	w.want(w.enter(pin, ""), 403, reason.AgentPINMissing)
	pin = w.choose(w.get(p.url), "ip")
	for left := 9; left >= 1; left-- {
		pin = w.enter(pin, "00000000")
		w.want(pin, 403, reason.TokenPINWrong)
		if got := w.tries("ip"); got != left {
			t.Fatalf("%d tries are left, want %d", got, left)
		}
	}
	if !strings.Contains(pin.text, `name="last_try"`) {
		t.Errorf("no consent is asked for:\n%s", pin.text)
	}
	// Without consent the token is not asked, not even with the right PIN.
	pin = w.enter(pin, testPIN)
	w.want(pin, 403, reason.TokenPINLastTry)
	if w.tries("ip") != 1 {
		t.Fatal("the last try is gone")
	}
	t.Run("right", func(t *testing.T) {
		if _, signature, _ := w.answer(w.enter(pin, testPIN, "last_try", "yes")); len(signature) == 0 {
			t.Error("no signature")
		}
		if w.tries("ip") != 10 {
			t.Error("the right PIN did not give the tries back")
		}
	})
	if strings.Contains(w.log.String(), testPIN) || strings.Contains(w.log.String(), "00000000") || strings.Contains(w.log.String(), "Примеров") {
		t.Errorf("a PIN or a name is in the log:\n%s", w.log)
	}
}

// TestLocked does not ask for the PIN of a token that is locked.
func TestLocked(t *testing.T) {
	w := newWorld(t, []string{"ip"})
	for range 10 {
		if _, err := w.device("ip").Login([]byte("00000000"), true); err == nil {
			t.Fatal("a wrong PIN was taken")
		}
	}
	_, p := w.visit()
	pin := w.choose(p, "ip")
	w.want(pin, 403, reason.TokenPINLocked)
	if strings.Contains(pin.text, `name="pin"`) {
		t.Error("the PIN is asked for")
	}
}

// TestNoKey says that the key is missing once that is known, and no more offers the
// certificate.
func TestNoKey(t *testing.T) {
	w := newWorld(t, nil)
	w.addCertificate("ip")
	_, p := w.visit()
	w.want(w.enter(w.choose(p, "ip"), testPIN), 404, reason.AgentKeyMissing)
	if again := w.get(p.url); !strings.Contains(again.text, `<li data-code="agent-private-key-missing">`) || strings.Contains(again.text, "/pin?certificate=") {
		t.Errorf("the certificate is offered again:\n%s", again.text)
	}
}

// TestRemoved refuses when the token is taken out between the pages, and goes on when it
// is back.
func TestRemoved(t *testing.T) {
	w := newWorld(t, []string{"ip"})
	_, p := w.visit()
	pin := w.choose(p, "ip")
	at, away := filepath.Join(w.dir, "ip"), filepath.Join(t.TempDir(), "away")
	must(t, os.Rename(at, away))
	w.want(w.enter(pin, testPIN), 404, reason.AgentCertificateGone)
	if empty := w.get(p.url); !strings.Contains(empty.text, "Токен не найден") {
		t.Errorf("want a word that there is no token:\n%s", empty.text)
	}
	must(t, os.Rename(away, at))
	if _, signature, _ := w.answer(w.enter(w.choose(w.get(p.url), "ip"), testPIN)); len(signature) == 0 {
		t.Error("no signature")
	}
}

// padded is a token whose PIN is entered on the reader: here, by a finger of the test.
type padded struct {
	*tokens.Token
	finger func() ([]byte, error)
}

func (p padded) HasPINPad() bool { return true }

func (p padded) Login(pin []byte, lastTry bool) (*tokens.Session, error) {
	if pin != nil {
		return nil, errors.New("a PIN was sent to a token with a PIN pad")
	}
	pin, err := p.finger()
	if err != nil {
		return nil, err
	}
	return p.Token.Login(pin, lastTry)
}

// TestPINPad never asks for the PIN of a token that has a PIN pad, and sends it none.
func TestPINPad(t *testing.T) {
	fingers := make(chan func() ([]byte, error), 1)
	w := newWorldOf(t, []string{"ip"}, func(a *Agent) {
		a.shelf.wrap = func(t *tokens.Token) vault { return padded{t, func() ([]byte, error) { return (<-fingers)() }} }
	})
	_, p := w.visit()
	pin := w.choose(p, "ip")
	if strings.Contains(pin.text, `name="pin"`) || !strings.Contains(pin.text, "на клавиатуре считывателя") {
		t.Errorf("the PIN is asked for on the page:\n%s", pin.text)
	}
	fingers <- func() ([]byte, error) { return nil, reason.New(reason.TokenCancelled, nil) }
	w.want(w.enter(pin, testPIN), 403, reason.TokenCancelled)
	fingers <- func() ([]byte, error) { return []byte(testPIN), nil }
	if _, signature, _ := w.answer(w.enter(w.choose(w.get(p.url), "ip"), testPIN)); len(signature) == 0 {
		t.Error("no signature")
	}
}

// TestPhrase shows the phrase of the person where the PIN is asked for, and nowhere else.
func TestPhrase(t *testing.T) {
	w := newWorld(t, []string{"ip"})
	_, p := w.visit()
	if pin := w.choose(p, "ip"); !strings.Contains(pin.text, `id="phrase">Зелёный слон<`) {
		t.Errorf("no phrase:\n%s", pin.text)
	}
	for _, other := range []page{p, w.get(w.url + "/"), w.get(w.url + "/status")} {
		if strings.Contains(other.text, "Зелёный слон") {
			t.Errorf("%s shows the phrase", other.url)
		}
	}
	// Another program on the port does not know it: here, an agent of somebody else.
	squatter := newWorld(t, []string{"ip"}, func(o *Options) { o.Phrase = "" })
	_, p = squatter.visit()
	if pin := squatter.choose(p, "ip"); strings.Contains(pin.text, `id="phrase"`) || !strings.Contains(pin.text, "propusk-agent phrase") {
		t.Errorf("no word about the phrase:\n%s", pin.text)
	}
}

// TestWipe forgets what was entered.
func TestWipe(t *testing.T) {
	f, err := readForm(strings.NewReader("form=a&pin=%D0%9F1%2B+x"))
	must(t, err)
	pin := f.value("pin")
	if string(pin) != "П1+ x" {
		t.Fatalf("%q", pin)
	}
	f.wipe()
	if !bytes.Equal(pin, make([]byte, len(pin))) || !bytes.Equal(f.raw, make([]byte, len(f.raw))) {
		t.Error("the form is still there")
	}
}

// TestSignaturePIN asks for a second PIN when the token wants one, and never tries the
// first one for it.
func TestSignaturePIN(t *testing.T) {
	w := newWorld(t, nil)
	w.addCertificate("ip")
	p := w.country.Person("ip")
	token, err := soft.Open(filepath.Join(w.dir, "ip"))
	must(t, err)
	must(t, token.Login(soft.User, []byte(testPIN)))
	info, err := spki.FromCertificate(p.Certificate.Raw)
	must(t, err)
	_, err = token.Import(p.Key, soft.KeyTemplate{ParamSet: info.Algorithm.ParamSet, Label: "key", ID: []byte{1}, Usage: soft.Sign | soft.Confirm})
	must(t, err)
	token.Logout()

	_, choice := w.visit()
	pin := w.choose(choice, "ip")
	if strings.Contains(pin.text, `name="signature_pin"`) {
		t.Error("asked before anybody knows that it is needed")
	}
	pin = w.enter(pin, testPIN)
	w.want(pin, 403, reason.AgentSignaturePIN)
	if !strings.Contains(pin.text, `name="signature_pin"`) || w.tries("ip") != 10 {
		t.Errorf("%d tries are left; the page:\n%s", w.tries("ip"), pin.text)
	}
	pin = w.enter(pin, testPIN, "signature_pin", "00000000")
	w.want(pin, 403, reason.TokenPINWrong)
	if w.tries("ip") != 9 {
		t.Errorf("%d tries are left", w.tries("ip"))
	}
	if _, signature, _ := w.answer(w.enter(pin, testPIN, "signature_pin", testPIN)); len(signature) == 0 {
		t.Error("no signature")
	}
}
