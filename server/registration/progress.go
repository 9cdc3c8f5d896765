package registration

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/level"
	"propusk/server/oidc"
	"propusk/server/session"
	"propusk/server/store"
)

// cookieName is the cookie of a registration under way.
const cookieName = "__Host-propusk-registration"

// purposeProgress is the purpose of its secret in the store.
const purposeProgress = account.ForRegistration

// progress is how far a registration has come. It is kept sealed: it holds what a person has
// entered.
type progress struct {
	Request     oidc.Request `json:"request"`
	Certificate []byte       `json:"certificate"`
	Method      string       `json:"method"`
	Proven      time.Time    `json:"proven"`
	Level       level.Level  `json:"level"`
	AMR         []string     `json:"amr"`

	// What was entered. INN and OGRNIP are empty if the certificate has them.
	INN      string `json:"inn,omitempty"`
	OGRNIP   string `json:"ogrnip,omitempty"`
	Email    string `json:"email,omitempty"`
	Born     string `json:"born,omitempty"`
	Document string `json:"document,omitempty"`
	// Language is that of the letters.
	Language string `json:"language,omitempty"`

	// Step is where the person is until there is an account.
	Step step `json:"step"`
	// Checks is how often the register was asked.
	Checks int `json:"checks,omitempty"`
	// Doubt is why a person has to compare; empty if nobody has to.
	Doubt reason.Code `json:"doubt,omitempty"`
	// Registered tells that the register has confirmed OGRNIP, Closed that it is closed.
	Registered bool      `json:"registered,omitempty"`
	Closed     time.Time `json:"closed,omitzero"`
	// Number and Text are of the agreement.
	Number string `json:"number,omitempty"`
	Text   string `json:"text,omitempty"`

	// Account is there once the agreement is signed.
	Account account.ID `json:"account,omitempty"`
	// Letter is the last letter with a link that was asked for here.
	Letter string `json:"letter,omitempty"`

	cert   *gostx509.Certificate
	who    person.Identity // as the certificate says
	digest [32]byte        // of the cookie
}

// step is where a registration is.
type step int

const (
	atForm step = iota
	atDetails
	atAgreement
)

// path is the page of the step. Behind the agreement one page leads to the other.
func (p *progress) path() string {
	switch {
	case p.Account != "":
		return pathPassword
	case p.Step == atDetails:
		return pathDetails
	case p.Step == atAgreement:
		return pathAgreement
	}
	return PathBegin
}

// SameKey reports whether two registrations were begun by one certificate.
func (p *progress) SameKey(other *progress) bool { return p.cert.SHA256() == other.cert.SHA256() }

// identity is the person with what he entered.
func (p *progress) identity() person.Identity {
	who := p.who
	if inn, err := person.ParseINN(p.INN); err == nil && who.INN.IsZero() {
		who.INN = inn
	}
	return who
}

// ogrnip is the number of the entrepreneur, of the certificate or entered.
func (p *progress) ogrnip() person.OGRNIP {
	if !p.who.OGRNIP.IsZero() {
		return p.who.OGRNIP
	}
	o, err := person.ParseOGRNIP(p.OGRNIP)
	if err != nil {
		return person.OGRNIP{}
	}
	return o
}

// owner names a progress where it is sealed.
func (p *progress) owner() string { return hex.EncodeToString(p.digest[:]) }

// begin keeps a new progress, or one that goes on, and gives the browser a fresh cookie for
// it: what another one knew is of no use any more.
func (g *Registration) begin(w http.ResponseWriter, r *http.Request, p *progress) error {
	old := p.digest
	cookie := session.NewKey()
	p.digest = sha256.Sum256([]byte(cookie))
	err := g.opts.Store.Update(r.Context(), func(tx store.Tx) error {
		if old != ([32]byte{}) {
			if _, err := tx.TakeSecret(purposeProgress, old, g.opts.Now()); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		return g.put(tx, p)
	})
	if err == nil {
		setCookie(w, cookie, g.opts.Life)
	}
	return err
}

func setCookie(w http.ResponseWriter, value string, life time.Duration) {
	age := int(life.Seconds())
	if value == "" {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: age, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// put writes a progress. Its time counts from when the key was proven.
func (g *Registration) put(tx store.Tx, p *progress) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return tx.PutSecret(account.Secret{
		Digest: p.digest, Purpose: purposeProgress, Account: p.Account, Created: p.Proven, Expires: p.Proven.Add(g.opts.Life),
		Data: g.opts.Sealer.Seal(purposeProgress, p.owner(), data),
	})
}

// get reads a progress.
func (g *Registration) get(tx store.Tx, digest [32]byte) (*progress, error) {
	s, err := tx.Secret(purposeProgress, digest, g.opts.Now())
	if errors.Is(err, store.ErrNotFound) {
		return nil, reason.New(reason.RegistrationExpired, nil)
	}
	if err != nil {
		return nil, err
	}
	p := &progress{digest: digest}
	data, err := g.opts.Sealer.Open(purposeProgress, p.owner(), s.Data)
	if err != nil { // the secret of the store was changed
		return nil, reason.New(reason.RegistrationExpired, err)
	}
	if err := json.Unmarshal(data, p); err != nil {
		return nil, err
	}
	return p, p.parse()
}

// current returns the registration under way in the browser of a request.
func (g *Registration) current(r *http.Request) (*progress, error) {
	cookies := r.CookiesNamed(cookieName)
	if len(cookies) != 1 {
		return nil, reason.New(reason.RegistrationExpired, nil)
	}
	digest := sha256.Sum256([]byte(cookies[0].Value))
	var p *progress
	err := g.opts.Store.View(r.Context(), func(tx store.Tx) (err error) {
		p, err = g.get(tx, digest)
		return err
	})
	return p, err
}

// change reads a progress once more and writes what f makes of it, unless f fails.
func (g *Registration) change(r *http.Request, digest [32]byte, f func(tx store.Tx, p *progress) error) (*progress, error) {
	var p *progress
	err := g.opts.Store.Update(r.Context(), func(tx store.Tx) (err error) {
		if p, err = g.get(tx, digest); err != nil {
			return err
		}
		if err = f(tx, p); err != nil {
			return err
		}
		return g.put(tx, p)
	})
	return p, err
}

// at returns the registration of a request if it is at one of the steps before the account,
// and otherwise answers: with the page of the step where it is, or with a refusal.
func (g *Registration) at(x *gin.Context, steps ...step) (*progress, bool) {
	p, err := g.current(x.Request)
	if err != nil {
		g.refuse(x.Writer, x.Request, err)
		return nil, false
	}
	if p.Account == "" {
		for _, s := range steps {
			if p.Step == s {
				return p, true
			}
		}
	}
	x.Redirect(http.StatusSeeOther, p.path())
	return nil, false
}
