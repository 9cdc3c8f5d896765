package registration

import (
	"net/http"
	"strings"
	"testing"
)

// TestPrefilled: the address that the certificate states is in the form already (IP-05), until
// the person has entered another one.
func TestPrefilled(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	address := g.emailOf("ip")
	b := g.browser()
	b.is(b.get("/begin?person=ip"), PathBegin, http.StatusOK, `value="`+address+`"`)
	b.is(b.post(PathBegin, "email", "other@example.ru"), pathAgreement, http.StatusOK)
	b.is(b.get(PathBegin+"?edit=1"), PathBegin+"?edit=1", http.StatusOK, `value="other@example.ru"`)
	if strings.Contains(b.page, address) {
		t.Error("the address of the certificate is back in place of the one that was entered")
	}
}

// emailOf is the address that the certificate of a person states.
func (g *gateway) emailOf(id string) string {
	g.t.Helper()
	who, err := theCountry(g.t).Person(id).Certificate.Identity()
	if err != nil {
		g.t.Fatal(err)
	}
	if who.Email.IsZero() {
		g.t.Fatal("the certificate states no address")
	}
	return who.Email.Reveal()
}
