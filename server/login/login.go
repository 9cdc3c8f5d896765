// Package login is sign-in by ИНН and password (PW-07, IP-08), with a second factor (GU-01,
// GU-02), the change of a first password (PW-03) and recovery (GU-11, FL-04).
package login

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/server/account"
	"propusk/server/factor"
	"propusk/server/mail"
	"propusk/server/oidc"
	"propusk/server/password"
	"propusk/server/store"
	"propusk/server/throttle"
)

// DemoINN is the login of the demo account: nobody's ИНН. It opens nothing unless the
// configuration says that this is a demo.
const DemoINN = "000000000000"

// Paths on the public host.
const (
	// PathPassword is where login and password are posted to; GET shows the form.
	PathPassword = "/signin/password"
	// PathSecond asks for the second factor. With a visit by password it raises that.
	PathSecond = "/signin/second"
	// PathChange changes a first password.
	PathChange = "/password/change"
	// PathRecovery is for who has forgotten the password.
	PathRecovery = "/recovery"
)

// Names of the fields of the form that posts to PathPassword. FieldRequest is the sealed
// request ([oidc.Provider.Seal]).
const (
	FieldRequest  = "request"
	FieldLogin    = "login"
	FieldPassword = "password"
)

// Options is what a Login needs.
type Options struct {
	Store    store.Store
	Provider *oidc.Provider
	Hasher   *password.Hasher
	Policy   password.Policy
	Factors  *factor.Keeper
	Throttle *throttle.Throttle
	Mail     mail.Composer
	// Demo lets DemoINN in.
	Demo bool
	Now  func() time.Time
}

// Login answers on the public host. It is safe for concurrent use. Make it with New.
type Login struct{ opts Options }

// New returns a Login.
func New(o Options) *Login { return &Login{o} }

// Routes adds the routes of the public host.
func (l *Login) Routes(r gin.IRouter) {}

// Weaknesses returns what is wrong with a new password of a person; nothing if it is good
// (PW-06).
func (l *Login) Weaknesses(fresh string, a account.Account) []password.Weakness { return nil }

// Hash returns the hash of a password, or of a code word, for SetPassword and for
// account.Account.CodeWord. Call it outside of transactions. The error is
// reason.ServerBusy when too many wait.
func (l *Login) Hash(ctx context.Context, fresh string) (string, error) { return "", nil }

// SetPassword writes a password that the person has chosen, with the letter and the event
// that tell about it; links of recovery and sign-ins that wait are void. The caller ends the
// visits that should not go on.
func (l *Login) SetPassword(tx store.Tx, r *http.Request, a account.Account, hash string) error {
	return nil
}

// Confirm checks the password of a person who is there already, for a change that wants it.
// The error is reason.LoginWrong, reason.LoginThrottled, reason.ServerBusy, or that of the
// store.
func (l *Login) Confirm(r *http.Request, a account.Account, current string) error { return nil }
