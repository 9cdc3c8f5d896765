package registration

import (
	"errors"
	"net/http"
	"testing"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
)

// TestForeignNumber: a number that was entered and that nobody vouches for makes nobody an
// entrepreneur; and while other data wait for the register, the agreement with those before
// them cannot be signed.
func TestForeignNumber(t *testing.T) {
	g := newGateway(t)
	g.knows("fl")
	own, foreign := theCountry(t).Person("ip").OGRNIP, theCountry(t).Person("ip512").OGRNIP
	var err error
	if g.register.entry.OGRNIP, err = person.ParseOGRNIP(own); err != nil {
		t.Fatal(err)
	}
	b := g.browser()
	b.get("/begin?person=fl")
	b.is(b.post(PathBegin, "email", "name@example.ru", "ogrnip", own), pathDetails, http.StatusOK)
	b.is(b.post(pathDetails, "born", "1980-02-28", "document", "4501123456"), pathAgreement, http.StatusOK)
	l := b.asks()
	g.register.err = reason.Errorf(reason.RegisterUnavailable, "away")
	b.get(PathBegin + "?edit=1")
	b.is(b.post(PathBegin, "email", "name@example.ru", "ogrnip", foreign), PathBegin, http.StatusServiceUnavailable)
	if err := b.signs(l, "fl"); !errors.Is(err, reason.RegistrationStep) {
		t.Errorf("the agreement before the foreign number: %v", err)
	}
	g.nobody("fl")

	g.register.err = nil
	b.is(b.post(PathBegin, "email", "name@example.ru", "ogrnip", foreign), pathDetails, http.StatusOK)
	b.is(b.post(pathDetails, "born", "1980-02-28", "document", "4501123456"), pathAgreement, http.StatusOK)
	if err := b.signs(b.asks(), "fl"); err != nil {
		t.Fatal(err)
	}
	if a := g.account("fl"); a.State != account.Pending || len(a.Taxpayers) != 1 || !a.Taxpayers[0].OGRNIP.IsZero() {
		t.Errorf("the account is %+v", a)
	}
}
