package challenge

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"go.yaml.in/yaml/v3"

	"propusk/pki/reason"
	"propusk/server/form"
	"propusk/server/level"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/request"
	"propusk/server/visit"
)

// Accounts is what the page where people sign in offers beside keys. The first four are
// needed.
type Accounts struct {
	// Visits knows who is signed in.
	Visits *visit.Keeper
	// Password is where login and password are posted to, Second where a second factor is
	// proven, Recovery where who has forgotten the password goes: paths of this host.
	Password, Second, Recovery string
	// Registers says that a key without an account opens one.
	Registers bool
	// Demo says that the login of the demo opens something.
	Demo bool
}

// choice asks how to sign in. A browser that speaks GOST TLS already is sent to the
// sign-in host if nothing but a key would do, unless it comes back from there.
func (c *Challenge) choice(x *gin.Context) {
	sealed, ok := single(x.Request.URL.Query()["request"])
	if !ok {
		c.refuse(x, "challenge", reason.New(reason.SignInExpired, nil))
		return
	}
	req, err := c.opened(x, sealed)
	if err != nil {
		c.refuse(x, "challenge", err)
		return
	}
	if who, ok := c.proven(x.Request, req); ok { // in another tab
		c.opts.Provider.Grant(x.Writer, x.Request, req, who)
		return
	}
	byTLS := c.opts.SignInURL + "/signin?request=" + url.QueryEscape(sealed)
	ask := page.Choice{
		Service: c.opts.Services[req.ClientID], What: c.what(req), Methods: c.opts.Methods, GOSTTLS: byTLS, Request: sealed,
		Agent: "/signin/agent", Plugin: pathPlugin, Notice: c.notice(), Account: c.account(x.Writer, x.Request, req, sealed),
	}
	others := ask.Account != nil && (ask.Account.Password != "" || ask.Account.Second != "")
	if c.offers(page.MethodGOSTTLS) && !others && x.Query("choose") == "" && request.ConnectionFrom(x.Request.Context()).Kind == "gost" {
		x.Redirect(http.StatusSeeOther, byTLS)
		return
	}
	page.Written(x.Writer, x.Request, c.opts.Pages.Choice(x.Writer, x.Request, ask))
}

// proven returns who visits, if he has proven what the request wants.
func (c *Challenge) proven(r *http.Request, req oidc.Request) (oidc.Login, bool) {
	if c.opts.Accounts == nil {
		return oidc.Login{}, false
	}
	who, ok := c.opts.Accounts.Visits.Who(r)
	if ok {
		_, ok = c.opts.Provider.Need(req, who.Kind()).Best(who.Proofs)
	}
	return who, ok
}

// what names the service that the person has chosen, if the request tells.
func (c *Challenge) what(req oidc.Request) page.Text {
	if req.ClientID == "" {
		return page.Text{RU: "Учётная запись", EN: "Account"}
	}
	if s, ok := c.opts.Policy.Service(req.ClientID, req.Service); ok {
		return page.Text(s.Name)
	}
	return page.Text{}
}

// account returns what is offered beside keys; nil where people have no accounts.
func (c *Challenge) account(w http.ResponseWriter, r *http.Request, req oidc.Request, sealed string) *page.Account {
	o := c.opts.Accounts
	if o == nil {
		return nil
	}
	a := &page.Account{Recovery: o.Recovery, Token: form.Token(w, r), Registers: o.Registers, Demo: o.Demo}
	v, who, visits := o.Visits.Of(r)
	need := c.opts.Provider.Need(req, "")
	if visits {
		login := o.Visits.Login(v, who)
		need = c.opts.Provider.Need(req, login.Kind())
		a.Who, a.Known, a.Wanted = visit.Header(v, who), known(v.Level), wanted(need)
		stale := need
		stale.Since = v.Began // whatever was proven in this visit
		_, a.Again = stale.Best(v.Proofs)
	}
	if need.Physical || need.Level > level.TwoFactor {
		return a
	}
	if visits && need.Level == level.TwoFactor && !a.Again { // the password is proven
		a.Second = o.Second + "?request=" + url.QueryEscape(sealed)
		return a
	}
	a.Password = o.Password
	return a
}

// known tells by what a person has signed in.
func known(l level.Level) page.Text {
	switch l {
	case level.QES, level.Mobile:
		return page.Text{RU: "с ключом", EN: "with a key"}
	case level.TwoFactor:
		return page.Text{RU: "по паролю и коду", EN: "with a password and a code"}
	}
	return page.Text{RU: "по паролю", EN: "with a password"}
}

// wanted tells what a service wants.
func wanted(n level.Need) page.Text {
	switch {
	case n.Physical:
		return page.Text{RU: "только вход с ключом на носителе, который ключ не покидает", EN: "only a key in a token that it does not leave"}
	case n.Level == level.TwoFactor:
		return page.Text{RU: "вход с ключом или по паролю и коду", EN: "a key, or a password with a code"}
	case n.Level < level.TwoFactor:
		return page.Text{RU: "вход с ключом или по паролю", EN: "a key or a password"}
	}
	return page.Text{RU: "только вход с ключом электронной подписи", EN: "only the key of electronic signature"}
}

// Limits of the notice of the operator.
const (
	maxNoticeFile = 8 << 10 // bytes
	maxNotice     = 1000    // characters
)

// notice returns what the operator wants people to know now; nothing if there is no file, or
// it is not a notice: people must be able to sign in all the same.
func (c *Challenge) notice() page.Text {
	if c.opts.Notice == "" {
		return page.Text{}
	}
	f, err := os.Open(c.opts.Notice)
	if err != nil {
		return page.Text{}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxNoticeFile+1))
	if err != nil {
		return page.Text{}
	}
	text, err := parseNotice(data)
	if err != nil {
		return page.Text{}
	}
	return text
}

var errNotice = errors.New("challenge: not a notice")

// parseNotice reads a notice: ru and en, both or neither.
func parseNotice(data []byte) (page.Text, error) {
	var doc struct {
		RU string `yaml:"ru"`
		EN string `yaml:"en"`
	}
	if len(data) > maxNoticeFile {
		return page.Text{}, errNotice
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&doc); err != nil {
		return page.Text{}, errNotice
	}
	for _, text := range []*string{&doc.RU, &doc.EN} {
		*text = strings.Join(strings.Fields(*text), " ")
		if !utf8.ValidString(*text) || utf8.RuneCountInString(*text) > maxNotice || strings.ContainsFunc(*text, unicode.IsControl) {
			return page.Text{}, errNotice
		}
	}
	if (doc.RU == "") != (doc.EN == "") {
		return page.Text{}, errNotice
	}
	return page.Text{RU: doc.RU, EN: doc.EN}, nil
}
