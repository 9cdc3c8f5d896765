package agent

import (
	"bytes"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"propusk/pki/reason"
	"propusk/server/problem"
	"propusk/server/signrequest"
	"propusk/tokens"
)

//go:embed templates/*.html templates/agent.css
var templates embed.FS

// Text is one sentence in both languages.
type Text struct{ RU, EN string }

// Advice says what happened and what to do next.
type Advice struct {
	Code         reason.Code
	Cause, Steps Text
}

func adviceFor(code reason.Code) Advice {
	e, ok := reason.Lookup(code)
	if !ok {
		e, _ = reason.Lookup(reason.InternalError)
	}
	a := Advice{Code: e.Code}
	a.Cause.RU, a.Cause.EN = e.What()
	a.Steps.RU, a.Steps.EN = e.Remedy()
	return a
}

// view is what a template sees. It has what its page needs.
type view struct {
	Title   Text
	Tone    string // "good", "bad" or ""
	Nonce   string
	Style   template.CSS
	Version string
	Advice  *Advice

	Visit   string // of the address; empty: there is none
	Form    string // one-time token
	Request *requestView

	Certificates []CertificateView // that can be used
	Unusable     []CertificateView
	Unjudged     *Advice // accreditation is not judged
	Troubles     []troubleView
	Devices      []deviceView

	Chosen *CertificateView
	Device *deviceView
	Phrase string

	Gateways []signrequest.Gateway
	Modules  int

	Answer   *answerView
	ReturnTo string
}

// requestView is who asks and what will be signed.
type requestView struct {
	Gateway, Origin, Service string
	Purpose                  signrequest.Purpose
	Text                     string
	Document                 *documentView
}

type documentView struct {
	Name, MediaType    string
	Size               int64
	Digest256, Digest5 string
}

type troubleView struct {
	Path   string
	Advice Advice
}

// deviceView is a token as a page shows it.
type deviceView struct {
	Name, Serial string
	PINPad       bool
	Tries        int  // left, if TriesKnown
	TriesKnown   bool //
	Low, Last    bool // wrong PINs were entered; one is left
	SignaturePIN bool // there is a second one
	Blocked      *Advice
	Notes        []tokens.Note
}

type answerView struct {
	State, Signature, Failure string
	Again                     bool // the page was opened before
}

// parsePages reads the templates; a mistake in them is one of ours.
func parsePages() *template.Template {
	return template.Must(template.New("").Option("missingkey=error").ParseFS(templates, "templates/*.html"))
}

// show writes a page. Forms of it may be sent to formAction alone.
func (a *Agent) show(w http.ResponseWriter, name string, status int, formAction string, v view) {
	style, err := templates.ReadFile("templates/agent.css")
	if err != nil {
		panic("agent: the embedded style is gone: " + err.Error())
	}
	v.Nonce, v.Style, v.Version = rand.Text(), template.CSS(style), a.options.Version //nolint:gosec // ours
	var page bytes.Buffer
	if err := a.pages.ExecuteTemplate(&page, name, v); err != nil {
		panic("agent: " + name + ": " + err.Error()) // net/http ends the request
	}
	h := w.Header()
	policy := fmt.Sprintf("default-src 'none'; style-src 'nonce-%s'; base-uri 'none'; form-action %s; frame-ancestors 'none'", v.Nonce, formAction)
	if v.Answer != nil && !v.Answer.Again {
		policy += fmt.Sprintf("; script-src 'nonce-%s'", v.Nonce)
	}
	h.Set("Content-Security-Policy", policy)
	if formAction == "'self'" {
		// With no-referrer a browser would say "Origin: null" in our own forms (Fetch,
		// "append a request Origin header"). Others learn nothing from this either.
		h.Set("Referrer-Policy", "same-origin")
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", "ru, en")
	w.WriteHeader(status)
	w.Write(page.Bytes()) //nolint:errcheck // the browser went away; there is nobody to tell
}

// home says how the agent stands, and nothing about a person.
func (a *Agent) home(w http.ResponseWriter, _ *http.Request) {
	over, stop := a.shelf.timer()
	defer stop()
	devices, troubles := a.shelf.devices(over)
	v := view{
		Title:    Text{"Агент токенов работает", "The token agent is running"},
		Tone:     "good",
		Gateways: a.gateways, Modules: len(a.shelf.books), Troubles: viewsOf(troubles),
	}
	for _, d := range devices {
		if d.again {
			continue
		}
		one := d.view()
		one.Name, one.Serial = modelName(d), ""
		v.Devices = append(v.Devices, one)
	}
	if len(a.gateways) == 0 {
		v.Tone = ""
	}
	a.show(w, "home", http.StatusOK, "'none'", v)
}

// Status is what GET /status answers with, for programs of the same user.
type Status struct {
	Program  string   `json:"program"`  // "propusk-agent"
	Version  string   `json:"version"`  //
	Gateways []string `json:"gateways"` // origins
	Modules  []string `json:"modules"`  // libraries of tokens
	Phrase   bool     `json:"phrase"`   // one was chosen
}

// program is what an agent calls itself.
const program = "propusk-agent"

func (a *Agent) status(w http.ResponseWriter, _ *http.Request) {
	s := Status{Program: program, Version: a.options.Version, Gateways: []string{}, Modules: []string{}, Phrase: a.options.Phrase != ""}
	for _, g := range a.gateways {
		s.Gateways = append(s.Gateways, g.URL)
	}
	s.Modules = append(s.Modules, a.options.Modules...)
	body, err := json.Marshal(s)
	if err != nil {
		panic("agent: status: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(body, '\n')) //nolint:errcheck // the other side went away
}

// failure shows what did not work. With a visit there is a way back to it.
func (a *Agent) failure(w http.ResponseWriter, code reason.Code, c *call) {
	advice := adviceFor(code)
	v := view{Title: Text{"Не получилось", "This did not work"}, Tone: "bad", Advice: &advice}
	action := "'none'"
	if c != nil && !c.answered() {
		v.Visit, v.Form, v.Request, action = c.id, c.newForm(), c.requestView(), "'self'"
	}
	a.show(w, "failure", problem.Status(code), action, v)
}

func (c *call) requestView() *requestView {
	v := &requestView{
		Gateway: c.gateway.Name, Origin: c.gateway.URL, Service: c.request.Service, Purpose: c.request.Purpose, Text: c.request.Text,
	}
	if d := c.request.Document; d != nil {
		v.Document = &documentView{d.Name, d.MediaType, d.Size, hex.EncodeToString(d.Streebog256), hex.EncodeToString(d.Streebog512)}
	}
	if c.request.Purpose == signrequest.SignIn {
		v.Text = string(c.request.Content())
	}
	return v
}

// title names a page after what is asked for.
func (c *call) title() Text {
	switch c.request.Purpose {
	case signrequest.SignText:
		return Text{"Подписать текст", "Sign a text"}
	case signrequest.SignDocument:
		return Text{"Подписать документ", "Sign a document"}
	default:
		return Text{"Вход с электронной подписью", "Sign in with an electronic signature"}
	}
}

// showChoice is the page with who asks, what will be signed, and the certificates.
func (c *call) showChoice(inv inventory) error {
	v := view{Title: c.title(), Visit: c.id, Form: c.newForm(), Request: c.requestView(), Troubles: viewsOf(inv.troubles)}
	for _, one := range inv.candidates {
		if one.why == "" {
			v.Certificates = append(v.Certificates, one.view())
		} else {
			v.Unusable = append(v.Unusable, one.view())
		}
	}
	for _, d := range inv.devices {
		v.Devices = append(v.Devices, d.view())
	}
	if inv.accreditation != "" {
		a := adviceFor(inv.accreditation)
		v.Unjudged = &a
	}
	c.agent.show(c.w, "choose", http.StatusOK, "'self'", v)
	return nil
}

// showPIN is the page where the PIN is entered; with a code it says why it is asked for
// again.
func (c *call) showPIN(one candidate, code reason.Code) error {
	chosen, device := one.view(), one.device.view()
	device.SignaturePIN = device.SignaturePIN || c.marked(c.pinOfItsOwn, one.id)
	v := view{
		Title: c.title(), Visit: c.id, Request: c.requestView(), Chosen: &chosen, Device: &device, Phrase: c.agent.options.Phrase,
	}
	if code != "" {
		a := adviceFor(code)
		v.Advice, v.Tone = &a, "bad"
	}
	status := http.StatusOK
	if device.Blocked != nil {
		v.Advice, v.Tone = device.Blocked, "bad"
	}
	if v.Advice != nil {
		status = problem.Status(v.Advice.Code)
	}
	v.Form = c.newForm()
	c.agent.show(c.w, "pin", status, "'self'", v)
	return nil
}

// giveAnswer is the page that brings the answer to the gateway: by itself, or by a
// button where there are no scripts. It can be opened again should the gateway not have
// been reached, and waits for the button then: who goes back in the browser would be
// thrown forward again. The gateway takes an answer once.
func (c *call) giveAnswer() error {
	c.mu.Lock()
	given, again := c.answer, c.taken
	c.taken = given != nil
	c.mu.Unlock()
	if given == nil {
		c.goTo("")
		return nil
	}
	v := view{
		Title: Text{"Подписано", "Signed"}, Tone: "good", ReturnTo: c.request.ReturnTo, Request: c.requestView(),
		Answer: &answerView{State: c.request.State, Signature: given.signature, Failure: given.failure, Again: again},
	}
	if given.failure != "" {
		v.Title, v.Tone = Text{"Не подписано", "Not signed"}, ""
	}
	c.agent.show(c.w, "answer", http.StatusOK, origin(c.request.ReturnTo), v)
	return nil
}

// origin returns the origin of an address that signrequest has checked.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic("agent: an address that was checked cannot be read: " + err.Error())
	}
	return u.Scheme + "://" + u.Host
}

// view describes the token for a page.
func (d device) view() deviceView {
	about, state := d.About(), d.PIN()
	v := deviceView{
		Name: deviceName(d), Serial: shown(d.Serial()), PINPad: d.HasPINPad(), SignaturePIN: about.SignaturePIN, Notes: about.Notes,
		Low: state == tokens.PINCountLow, Last: state == tokens.PINFinalTry,
	}
	v.Tries, v.TriesKnown = d.TriesLeft()
	if code, blocked := map[tokens.PINState]reason.Code{
		tokens.PINLocked: reason.TokenPINLocked, tokens.PINUnset: reason.TokenPINUnset, tokens.PINMustChange: reason.TokenPINChange,
	}[state]; blocked {
		a := adviceFor(code)
		v.Blocked = &a
	}
	return v
}

// modelName is what kind of token it is, without the name that its owner gave it.
func modelName(d device) string {
	if about := d.About(); about.RU != "" {
		return about.RU
	}
	return shown(strings.TrimSpace(d.Manufacturer() + " " + d.Model()))
}

func viewsOf(all []trouble) []troubleView {
	var views []troubleView
	for _, t := range all {
		views = append(views, troubleView{t.Path, adviceFor(t.Code)})
	}
	return views
}
