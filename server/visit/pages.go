package visit

import (
	"embed"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/form"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/request"
)

// PathLogout asks whether to sign out, and takes the answer.
const PathLogout = "/logout"

//go:embed templates/*.html
var templates embed.FS

// Templates are the pages of this package.
func Templates() page.Set { return page.Set{Name: "visit", Files: templates} }

// Pages signs people out. Make it with its fields, all of which are needed.
type Pages struct {
	Keeper   *Keeper
	Provider *oidc.Provider
	Book     *page.Book
	// Refuse writes the page about a reason.
	Refuse func(http.ResponseWriter, *http.Request, reason.Code)
}

// Routes adds the routes of the public host.
func (p Pages) Routes(r gin.IRouter) {
	r.GET(PathLogout, p.ask)
	r.POST(PathLogout, form.Guard(p.Refuse), p.answer)
}

// fieldEnd and fieldStay are fields of the form.
const (
	fieldEnd  = "end"
	fieldStay = "stay"
)

// maxEnd bounds the sealed text of a logout, in characters.
const maxEnd = 8 << 10

// ask asks whether to sign out, unless there is nothing to ask: nobody visits and no other
// service has anybody signed in by the visit that there was, or the service
// that leads here has named this very visit. OpenID Connect RP-Initiated Logout 1.0, Section
// 2: without an identity token of the visit the person must be asked, because any site may
// lead here.
func (p Pages) ask(c *gin.Context) {
	w, r := c.Writer, c.Request
	sealed := r.URL.Query().Get(fieldEnd)
	end, err := p.end(sealed)
	if err != nil {
		p.refuse(c, err)
		return
	}
	var who *page.Person
	v, a, ok := p.Keeper.Of(r)
	if ok {
		who = Header(v, a)
	} else {
		if v, err = p.Keeper.Kept(r); err != nil { // nobody is told that it is over who may be signed in
			p.refuse(c, reason.New(reason.AccountLost, err))
			return
		}
		// A visit that opens nothing is worth a question if other services know it.
		if !slices.ContainsFunc(v.Clients, func(id string) bool { return id != end.ClientID }) {
			p.signOut(c, end)
			return
		}
	}
	if end.SID != "" && end.SID == v.SID {
		p.signOut(c, end)
		return
	}
	page.Written(w, r, p.Book.Show(w, r, "visit/logout", page.View{
		Title: page.Text{RU: "Выйти?", EN: "Sign out?"},
		Token: form.Token(w, r), Who: who,
		Values: map[string]string{fieldEnd: sealed},
		Data:   logout{End: sealed, Elsewhere: len(v.Clients), Stay: end.ClientID != ""},
	}))
}

// logout is what the page tells.
type logout struct {
	End string
	// Elsewhere is how many services know the visit.
	Elsewhere int
	// Stay says that there is somewhere to go without signing out.
	Stay bool
}

// end reads what a service has begun; the person may have come by himself.
func (p Pages) end(sealed string) (oidc.End, error) {
	if sealed == "" {
		return oidc.End{Address: "/"}, nil
	}
	return p.Provider.LogoutEnd(sealed)
}

// answer takes what the person has answered.
func (p Pages) answer(c *gin.Context) {
	values, err := form.Parse(c.Request, form.Limits{fieldEnd: {Max: maxEnd}, fieldStay: {Max: 3}})
	var end oidc.End
	if err == nil {
		end, err = p.end(values[fieldEnd])
	}
	switch {
	case err != nil:
		p.refuse(c, err)
	case values[fieldStay] != "":
		p.leave(c, end)
	default:
		p.signOut(c, end)
	}
}

// signOut ends the visit of the browser.
func (p Pages) signOut(c *gin.Context, end oidc.End) {
	if err := p.Keeper.End(c.Writer, c.Request); err != nil {
		p.refuse(c, err)
		return
	}
	p.leave(c, end)
}

// leave sends the browser on: to where it came from, or to a page that says that it is over.
func (p Pages) leave(c *gin.Context, end oidc.End) {
	w, r := c.Writer, c.Request
	switch {
	case end.ClientID == "":
		page.Written(w, r, p.Book.Show(w, r, "visit/bye", page.View{
			Title: page.Text{RU: "Вы вышли", EN: "You have signed out"}, Tone: "good", Here: PathLogout,
		}))
	case r.Method == http.MethodPost: // the policy of the form lets it come here and no further
		page.Written(w, r, p.Book.Onward(w, r, end.Address))
	default:
		c.Redirect(http.StatusSeeOther, end.Address)
	}
}

// refuse writes the page about a failure.
func (p Pages) refuse(c *gin.Context, err error) {
	e := request.From(c.Request.Context())
	e.Code, e.Err = reason.Of(err), err
	p.Refuse(c.Writer, c.Request, reason.Of(err))
}

// Header is what the header of a page says about who visits (BY-10).
func Header(v account.Visit, a account.Account) *page.Person {
	who := &page.Person{Name: a.Identity.Name.Reveal(), Account: "/account", SignOut: PathLogout}
	if t, ok := a.Taxpayer(v.Taxpayer); ok {
		who.Taxpayer = taxpayerName(t)
	}
	if len(a.Taxpayers) > 1 {
		who.Switch = "/account/taxpayer"
	}
	return who
}

// taxpayerName tells for whom a person acts, with the number by which the tax service knows
// him.
func taxpayerName(t account.Taxpayer) string {
	switch {
	case !t.INNLE.IsZero():
		return t.Name.Reveal() + ", ИНН " + t.INNLE.Reveal()
	case !t.OGRNIP.IsZero():
		return "ИП, ИНН " + t.INN.Reveal()
	}
	return "ИНН " + t.INN.Reveal()
}
