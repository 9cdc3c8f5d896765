// Package registration opens accounts by a qualified certificate (requirements IP-03 to
// IP-28): what the certificate lacks is asked for, the register of entrepreneurs is
// consulted, the agreement is signed by the person's own key, and the address of e-mail is
// confirmed by a link.
package registration

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"propusk/server/oidc"
)

// Paths on the public host.
const (
	// PathBegin is the form; a registration under way goes on from there wherever it is.
	PathBegin = "/registration"
	// PathActivate is where the link of the letter leads.
	PathActivate = "/activate"
)

// Registration answers on the public host. It is safe for concurrent use. Make it with New.
type Registration struct{}

// Routes adds the routes of the public host.
func (g *Registration) Routes(r gin.IRouter) {}

// Begin takes over a person who has proven a key and has no account, and answers the
// request. The request of the service goes on when the account is active.
func (g *Registration) Begin(w http.ResponseWriter, r *http.Request, req oidc.Request, who oidc.Login) {
}

// Await takes over a person who has proven a key and whose account waits for his password,
// for the link in the letter or for the operator, and answers the request.
func (g *Registration) Await(w http.ResponseWriter, r *http.Request, req oidc.Request, who oidc.Login) {
}
