package check

import (
	"embed"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"propusk/gost/gosttls"
	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/page"
	"propusk/server/page/plugins"
	"propusk/server/request"
	"propusk/server/store"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static/check.js
var scriptFile []byte

// scriptPath is the script of the page.
const scriptPath = "/static/check.js"

// Templates are the pages of this package, for page.New.
func Templates() page.Set { return page.Set{Name: "check", Files: templates} }

func script(x *gin.Context) {
	x.Header("Cache-Control", "public, max-age=3600")
	x.Data(http.StatusOK, "text/javascript; charset=utf-8", scriptFile)
}

// write shows a page.
func (c *Check) write(x *gin.Context, name string, v page.View) {
	page.Written(x.Writer, x.Request, c.opts.Pages.Show(x.Writer, x.Request, "check/"+name, v))
}

// intro says what will be checked, and what the person will be asked (CK-01 to CK-03).
func (p *place) intro(x *gin.Context) {
	p.write(x, "intro", page.View{
		Title: page.Text{RU: "Проверка выполнения условий доступа к личному кабинету", EN: "Check of the conditions of access to the cabinet"},
		Lead: page.Text{
			RU: "Мы проверим компьютер, браузер, носитель и сертификат и по каждому пункту скажем, что не так и что сделать.",
			EN: "We check the computer, the browser, the token and the certificate, and say of each what is wrong and what to do.",
		},
		Data: struct {
			Titles []page.Text
			Signs  bool
			Hosts  []string
		}{titles(), p.signs(), []string{p.opts.PublicURL, p.opts.SignInURL}},
	})
}

// link is a way on from a step.
type link struct {
	Label  page.Text
	URL    string
	Button bool
	Blank  bool // in a new tab
}

// file is a certificate to install.
type file struct {
	CA
	CER, P7B string
}

// stepView is a step as the page shows it.
type stepView struct {
	Step
	Word  page.Text // the mark in words
	Facts []page.Fact
	Links []link
	Files []file
}

// runView is what the page of a run shows.
type runView struct {
	Steps  []stepView
	Ready  bool
	Next   *link
	Result string
	Again  string
	NoCookies,
	Plain bool
	Script scriptView
}

// scriptView is what the script needs to know.
type scriptView struct {
	Run     bool // it has something to do
	Key     string
	Page    string // of the run
	Kind    string // of the connection, if it is to the public host
	Public  string // empty on the public host itself
	SignIn  string
	Agents  string // ports, with commas
	Plugins string // path of the script of plug-ins
}

// words are the marks.
func words(m Mark) page.Text {
	return map[Mark]page.Text{
		MarkNone: {RU: "не проверено", EN: "not checked"},
		MarkGood: {RU: "в порядке", EN: "in order"},
		MarkWarn: {RU: "не мешает входу", EN: "not in the way"},
		MarkBad:  {RU: "мешает входу", EN: "in the way"},
	}[m]
}

// showRun writes the page of a run.
func (p *place) showRun(x *gin.Context, one *run, bound bool) {
	f := p.snapshot(one)
	d := Diagnose(p.rows, &f)
	v := runView{
		Ready: d.Ready, Result: one.page("/check/result"), Again: one.page("/check/run") + "&again=1",
		NoCookies: !bound, Plain: f.PlainHost, Script: p.forScript(x.Request, one, &f, bound),
	}
	for _, s := range d.Steps {
		v.Steps = append(v.Steps, stepView{
			Step: s, Word: words(s.Mark), Facts: p.facts(s.Number, &f, page.Language(x.Request)), Links: p.links(s.Number, one, &f, inLanguage(x.Request)), Files: p.files(s.Number, &f),
		})
	}
	if d.Ready {
		v.Next = p.next(x.Request, &f)
	}
	view := page.View{
		Title: page.Text{RU: "Проверка условий доступа", EN: "Check of the conditions of access"},
		Lead: page.Text{
			RU: "Пройдите пункты по порядку: кнопки ведут к пробе и возвращают сюда.",
			EN: "Go through the steps in their order: the buttons lead to a trial and back here.",
		},
		Scripts: []string{scriptPath}, Policy: p.policy(v.Script), Data: v,
	}
	if v.Script.Plugins != "" {
		view.Scripts = append(view.Scripts, v.Script.Plugins)
	}
	if d.Ready {
		view.Tone = "good"
		view.Lead = page.Text{RU: "Всё готово: с этого компьютера можно войти в личный кабинет.", EN: "All is ready: you can sign in from this computer."}
	}
	p.write(x, "run", view)
}

// forScript tells the script what to look for. It looks once, and again when it is told to:
// the page that shows what it has found must not make it start over. It does not look for a
// run that is not of this browser: who made it would learn of tokens and programs.
func (p *place) forScript(r *http.Request, one *run, f *Facts, bound bool) scriptView {
	s := scriptView{Run: bound && (!f.Script || r.URL.Query().Has("again")), Key: one.key, Page: one.page("/check/run"), SignIn: p.opts.SignInURL}
	if p.host != p.opts.PublicURL {
		s.Public = p.opts.PublicURL
		return s
	}
	s.Kind = request.ConnectionFrom(r.Context()).Kind
	if slices.Contains(p.opts.Methods, page.MethodAgent) {
		ports := make([]string, len(p.opts.AgentPorts))
		for i, port := range p.opts.AgentPorts {
			ports[i] = strconv.Itoa(port)
		}
		s.Agents = strings.Join(ports, ",")
	}
	if slices.Contains(p.opts.Methods, page.MethodPlugin) && plugins.Built() && s.Run {
		s.Plugins = plugins.ScriptPath
	}
	return s
}

// policy is what the script may do: ask the hosts of the gateway and the agent.
func (p *place) policy(s scriptView) string {
	connect := "connect-src 'self' " + p.opts.SignInURL
	if s.Public != "" {
		connect += " " + s.Public
	}
	for port := range strings.SplitSeq(s.Agents, ",") {
		if port != "" {
			connect += " http://127.0.0.1:" + port
		}
	}
	scripts := "script-src 'self'"
	if s.Plugins != "" {
		scripts = "script-src " + plugins.ScriptSources()
	}
	return scripts + "; " + connect + "; form-action 'self'"
}

// links are the ways on from a step.
func (p *place) links(step int, one *run, f *Facts, lang string) []link {
	missed := func(host string) link {
		return link{Label: page.Text{RU: "Страница не открылась", EN: "The page did not open"}, URL: one.page("/check/missed") + "&host=" + host}
	}
	goOn := link{
		Label: page.Text{RU: "Продолжить на защищённой странице", EN: "Go on on the protected page"}, URL: one.page("/check/continue"), Button: true,
	}
	switch step {
	case stepBrowser:
		if f.PlainHost {
			return []link{{
				Label: page.Text{RU: "Проверить браузер", EN: "Test the browser"}, URL: p.opts.PublicURL + "/check/probe?run=" + one.key, Button: true,
			}, missed(hostPublic)}
		}
	case stepSigner:
		if f.PlainHost && p.signs() {
			return []link{goOn}
		}
		if slices.Contains(p.opts.Methods, page.MethodAgent) && len(p.opts.AgentPorts) > 0 { // the usual one is the first
			return []link{{
				Label: page.Text{RU: "Открыть программу «Пропуск-агент»", EN: "Open propusk-agent"},
				URL:   "http://127.0.0.1:" + strconv.Itoa(p.opts.AgentPorts[0]) + "/", Blank: true,
			}}
		}
	case stepKey:
		if !p.signs() {
			return nil
		}
		if f.PlainHost {
			return []link{goOn}
		}
		return []link{{Label: page.Text{RU: "Сделать пробную подпись", EN: "Make a test signature"}, URL: one.page("/check/sign"), Button: true}}
	case stepServer:
		return []link{{
			Label: page.Text{RU: "Проверить вход с сертификатом", EN: "Test the sign-in with the certificate"}, URL: p.opts.SignInURL + "/check?run=" + one.key + lang, Button: true,
		}, missed(hostSignIn)}
	}
	return nil
}

// facts are what is known at a step, whether it is right or wrong.
func (p *place) facts(step int, f *Facts, lang string) []page.Fact {
	fact := func(ru, en, value string) page.Fact {
		return page.Fact{Label: page.Text{RU: ru, EN: en}, Value: value}
	}
	var all []page.Fact
	switch step {
	case stepComputer:
		all = append(all, fact("Время сервера", "Time of the server", page.Time(p.opts.Now())))
		if f.Skew != nil {
			all = append(all, fact("Часы компьютера", "The clock of the computer", clockWords(*f.Skew).In(lang)))
		}
	case stepBrowser:
		if h := f.Hello; h != nil {
			all = append(all, fact("Соединение", "Connection", strings.TrimSpace(h.Version+" "+h.Suite)))
		}
	case stepSigner:
		if f.Agent != nil {
			all = append(all, fact("Пропуск-агент", "propusk-agent", f.Agent.Version))
			if f.Agent.Readers >= 0 {
				all = append(all, fact("Считывателей", "Readers", strconv.Itoa(f.Agent.Readers)))
			}
			for model, n := range f.Agent.models() {
				all = append(all, fact("Носитель", "Token", model+times(n)))
			}
		}
		for _, one := range f.Plugins {
			if one.State != pluginAbsent {
				all = append(all, fact("Плагин", "Plug-in", strings.TrimSpace(one.ID+" "+one.Version)))
			}
			if one.CSP != "" {
				all = append(all, fact("КриптоПро CSP", "CryptoPro CSP", one.CSP))
			}
		}
	case stepKey:
		if h := f.holder(); h != nil && !h.NotAfter.IsZero() {
			if h.Kind != "" {
				ru, en := h.Kind.Text()
				all = append(all, fact("Вид владельца", "Kind of holder", page.Text{RU: ru, EN: en}.In(lang)))
			}
			all = append(all, fact("Действует с", "Valid from", page.Time(h.NotBefore)), fact("Действует по", "Valid until", page.Time(h.NotAfter)))
			if !h.KeyUntil.IsZero() {
				all = append(all, fact("Ключ действует по", "The key is valid until", page.Time(h.KeyUntil)))
			}
			if l, ok := p.opts.Pages.Cabinet(h.Kind); ok {
				all = append(all, fact("Подходящий кабинет", "The cabinet that fits", strings.TrimSpace(l.Label.In(lang)+" "+l.URL)))
			}
		}
	case stepServer:
		all = append(all, fact("Адреса сервера", "Addresses of the server", p.opts.PublicURL+" "+p.opts.SignInURL))
	}
	return all
}

// clockWords says how a clock goes that is ahead by some seconds.
func clockWords(skew int64) page.Text {
	const right = 5 // seconds: nobody can tell a slow line from a clock
	n := strconv.FormatInt(max(skew, -skew), 10)
	switch {
	case skew > right:
		return page.Text{RU: "спешат на " + n + " с", EN: n + " s ahead"}
	case skew < -right:
		return page.Text{RU: "отстают на " + n + " с", EN: n + " s behind"}
	default:
		return page.Text{RU: "идут верно", EN: "right"}
	}
}

// models are the tokens by their models, in the order in which they were met, and how many
// there are of each.
func (a *Agent) models() iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		counts := make(map[string]int)
		for _, t := range a.Tokens {
			counts[t.Model]++
		}
		for _, t := range a.Tokens {
			n := counts[t.Model]
			delete(counts, t.Model)
			if n > 0 && !yield(t.Model, n) {
				return
			}
		}
	}
}

// times says how many there are, unless it is one.
func times(n int) string {
	if n == 1 {
		return ""
	}
	return " × " + strconv.Itoa(n)
}

// files are the certificates of CAs that are missing. They are offered over TLS: whoever
// installs a root trusts the connection that it came by.
func (p *place) files(step int, f *Facts) []file {
	h := f.holder()
	if step != stepChain || h == nil {
		return nil
	}
	var all []file
	for _, ca := range h.Missing() {
		base := p.opts.PublicURL + filesPath + ca.SHA256
		all = append(all, file{CA: ca, CER: base + endingCER, P7B: base + endingP7B})
	}
	return all
}

// next is where the person goes from here: to the cabinet, or to the registration (CK-05).
func (p *place) next(r *http.Request, f *Facts) *link {
	cabinet := link{Label: page.Text{RU: "Перейти в личный кабинет", EN: "Go to the cabinet"}, URL: p.opts.PublicURL + "/", Button: true}
	if len(p.opts.Services) > 0 {
		cabinet.URL = p.opts.Services[0].URL
	}
	h := f.holder()
	if p.opts.Store == nil || p.opts.RegistrationURL == "" || h == nil || h.inn == (person.INN{}) {
		return &cabinet
	}
	err := p.opts.Store.View(r.Context(), func(tx store.Tx) error {
		_, err := tx.AccountByINN(h.inn)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return &link{Label: page.Text{RU: "Перейти к регистрации", EN: "Go to the registration"}, URL: p.opts.RegistrationURL, Button: true}
	}
	return &cabinet // if the store does not answer the cabinet finds out itself
}

// result makes a result of the run as it stands, and shows it with its code.
func (p *place) result(x *gin.Context) {
	one, _, err := p.runs.visit(x.Request, p.host)
	if err != nil {
		p.refuse(x, err)
		return
	}
	f := p.snapshot(one)
	r, err := p.keep(x, one, f)
	if err != nil {
		p.refuse(x, err)
		return
	}
	ticket := ""
	if p.opts.TicketURL != "" {
		ticket = p.opts.TicketURL + "?check=" + url.QueryEscape(r.Code)
	}
	p.write(x, "result", page.View{
		Title: page.Text{RU: "Результат проверки", EN: "Result of the check"},
		Lead: page.Text{
			RU: "Назовите код технической поддержке или скопируйте текст. Имени, ИНН и ключа в нём нет.",
			EN: "Tell the code to technical support, or copy the text. Your name, ИНН and key are not in it.",
		},
		Scripts: []string{scriptPath},
		Data: struct {
			Report
			Back, Ticket string
		}{r, one.page("/check/run"), ticket},
	})
}

// keep stores a result. Facts that have not changed keep their code.
func (p *place) keep(x *gin.Context, one *run, f Facts) (Report, error) {
	digest, err := digestOf(f)
	if err != nil {
		return Report{}, err
	}
	s := newSaved(f, p.opts.Now())
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.result != "" && one.digest == digest {
		if r, ok := p.Report(x.Request.Context(), one.result); ok {
			return r, nil
		}
	}
	if err := p.room.enter(one.from); err != nil {
		return Report{}, err
	}
	code := request.NewID()
	if err := p.save(x, code, s); err != nil {
		return Report{}, err
	}
	one.result, one.digest = code, digest
	return p.report(code, s), nil
}

// message says what a message of a program means, by the table.
func (p *place) message(x *gin.Context) {
	asked := x.Query("text")
	runes := []rune(asked)
	asked = string(runes[:min(len(runes), maxMessage)])
	p.write(x, "message", page.View{
		Title:  page.Text{RU: "Что значит сообщение", EN: "What a message means"},
		Values: map[string]string{"text": asked},
		Data: struct {
			Asked bool
			Rows  []Row
		}{strings.TrimSpace(asked) != "", Find(p.rows, asked)},
	})
}

// sentBy are the certificates of CAs that came with the certificate of a connection; nil if
// there was none.
func sentBy(r *http.Request) [][]byte {
	st, ok := gosttls.FromContext(r.Context())
	if !ok || len(st.PeerCertificates) == 0 {
		return nil
	}
	return st.PeerCertificates[1:]
}

// checkRun is a result for the store.
func (c *Check) checkRun(code string, s saved, data []byte) account.CheckRun {
	return account.CheckRun{Code: code, Created: s.At, Expires: s.At.Add(c.opts.ResultLife), Data: data}
}
