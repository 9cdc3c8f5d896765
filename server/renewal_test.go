package server_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"propusk/certs/testpki"
	"propusk/gost/gost3410"
	"propusk/gost/gosttls"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/server/testgateway"
)

// renewed issues another certificate to a person of the country, by another CA and for a fresh
// key. A change may alter what it says.
func (w *accountWorld) renewed(who, ca string, curve *gost3410.Curve, change func(*gostx509.Template)) *testpki.Credential {
	w.t.Helper()
	p := *w.Country.Person(who)
	p.Issuer = w.Country.Authority(ca)
	t := w.Country.PersonTemplate(&p)
	t.NotBefore = w.Country.Now().Add(-24 * time.Hour)
	t.PrivateKeyUsage.NotBefore = t.NotBefore
	if change != nil {
		change(&t)
	}
	c, err := w.Country.Issue(p.Issuer, t, curve)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// with is a browser that speaks GOST TLS with a credential.
func (w *accountWorld) with(c *testpki.Credential) *http.Client {
	w.t.Helper()
	cert, err := gosttls.NewCertificate([][]byte{c.Certificate.Raw}, c.Key)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.GOSTBrowser("", func(config *gosttls.Config) { config.Certificates = []gosttls.Certificate{cert} })
}

// byAgent signs somebody in to the account by an agent, and returns where that ends.
func (w *accountWorld) byAgent(c *testpki.Credential) (visit, testgateway.Answer) {
	w.t.Helper()
	v := newVisit(w.t, w.Gateway)
	state := v.state(v.post(v.b, "/signin/agent", "null", url.Values{"request": {v.sealed("/account/certificates")}}))
	by := cms.Signatory{Key: c.Key, Certificate: c.Certificate, Time: w.Clock().Truncate(time.Second)}
	back := v.next(v.follow(v.answer(state, v.sign(v.request(state).Content(), by))))
	return v, w.follow(v.b, v.get(strings.TrimPrefix(back, w.Config.Public.URL)))
}

func fingerprintOf(c *testpki.Credential) string {
	sum := sha256.Sum256(c.Certificate.Raw)
	return hex.EncodeToString(sum[:])
}

// TestRenewedCertificate (IP-10, IP-24): who has got a new certificate, of another CA and with a
// new key, signs in with it, by GOST TLS or by an agent, and nothing else: it is bound, beside
// the old one; a letter tells of it, and the journal has both.
func TestRenewedCertificate(t *testing.T) {
	w := newAccountWorld(t)
	p := w.Country.Person("ip")
	w.enter(w.GOSTBrowser("ip"), "/account")
	before := fingerprintOf(&p.Credential)
	w.letter("ip@people.example", before[:8])

	tls := w.renewed("ip", "fns-512", gost3410.TC26512A(), nil)
	c := w.with(tls)
	page := w.enter(c, "/account/certificates")
	wantStatus(t, page, http.StatusOK)
	wantText(t, page, p.Name, before, fingerprintOf(tls), "УЦ ФНС (демо)", "УЦ ФНС 512 (демо)")
	w.letter("ip@people.example", fingerprintOf(tls)[:8])

	agent := w.renewed("ip", "fns", gost3410.TC26256A(), nil)
	v, page := w.byAgent(agent)
	wantStatus(t, page, http.StatusOK)
	wantText(t, page, p.Name, before, fingerprintOf(tls), fingerprintOf(agent))
	w.letter("ip@people.example", fingerprintOf(agent)[:8])
	if file := v.get("/account/certificates/file?sha256=" + fingerprintOf(agent)); file.Text != string(agent.Certificate.Raw) {
		t.Errorf("the file of the certificate: %d bytes, %d", len(file.Text), file.StatusCode)
	}
	journal := v.get("/account/journal.json").Text
	for _, want := range []string{"previous=" + before, "previous=" + fingerprintOf(tls)} {
		if !strings.Contains(journal, want) {
			t.Errorf("the journal has no %s:\n%s", want, journal)
		}
	}
	if n := strings.Count(journal, `"key-bound"`); n != 3 {
		t.Errorf("%d keys bound:\n%s", n, journal)
	}
	table := v.get("/account/journal.csv").Text
	if !strings.Contains(table, fingerprintOf(agent)) || !strings.Contains(table, fingerprintOf(tls)) {
		t.Errorf("the table:\n%s", table)
	}

	// Every one of them goes on to sign in, without another letter; sub stays what it is.
	w.enter(w.GOSTBrowser("ip"), "/account")
	w.enter(w.with(tls), "/account")
	if _, again := w.byAgent(agent); again.StatusCode != http.StatusOK {
		t.Errorf("once more: %d", again.StatusCode)
	}
	if got := w.account(); got.Identity.INN != w.acc.Identity.INN || len(got.Taxpayers) != 1 || got.Taxpayers[0].ID != w.acc.Taxpayers[0].ID {
		t.Errorf("the account is %+v", got)
	}
}

// TestRenewedForOther (IP-24): a good certificate of an accredited CA with the ИНН of somebody
// opens nothing of his if the СНИЛС or the name is another one; he finds the attempt in his
// journal. One with a new surname and the same СНИЛС is his, and he is called so from now on.
func TestRenewedForOther(t *testing.T) {
	w := newAccountWorld(t)
	own := w.GOSTBrowser("ip")
	w.enter(own, "/account")
	set := func(attribute gostx509.Attribute) func(*gostx509.Template) {
		return func(t *gostx509.Template) {
			for i := range t.Subject {
				if t.Subject[i].Type.Equal(attribute.Type) {
					t.Subject[i].Text = attribute.Text
				}
			}
		}
	}
	for name, change := range map[string]func(*gostx509.Template){
		"another number": set(gostx509.Attribute{Type: gostx509.OIDSNILS, Text: w.Country.Person("fl").SNILS}),
		"another name":   set(gostx509.Attribute{Type: gostx509.OIDGivenName, Text: "Иной Инович"}),
	} {
		foreign := w.renewed("ip", "fns-512", gost3410.TC26512A(), change)
		a := w.enter(w.with(foreign), "/account")
		wantText(t, a, `data-code="account-other-identity"`, fingerprintOf(foreign))
		if strings.Contains(a.Text, w.acc.Email.Reveal()) {
			t.Errorf("%s: the page tells of the account", name)
		}
		_, a = w.byAgent(foreign)
		wantText(t, a, `data-code="account-other-identity"`)
		journal := w.Get(own, w.Config.Public.URL+"/account/journal.csv").Text
		if !strings.Contains(journal, fingerprintOf(foreign)) || !strings.Contains(journal, "Сертификат не принят") {
			t.Errorf("%s: the person does not see it:\n%s", name, journal)
		}
		if strings.Contains(w.Get(own, w.Config.Public.URL+"/account/certificates").Text, fingerprintOf(foreign)) {
			t.Errorf("%s: it is bound", name)
		}
	}
	married := w.renewed("ip", "fns-512", gost3410.TC26512A(), set(gostx509.Attribute{Type: gostx509.OIDSurname, Text: "Новофамильный"}))
	a := w.enter(w.with(married), "/account")
	wantStatus(t, a, http.StatusOK)
	wantText(t, a, "Новофамильный Пример Примерович")
	wantText(t, w.Get(own, w.Config.Public.URL+"/account"), "Новофамильный Пример Примерович")
}
