// Package support takes people's requests for help (requirements SP-01 to SP-06, GU-15): a
// form that knows what it can know, files that must not hold keys, a number, and letters. The
// operator's side is functions for a command line.
package support

import (
	"context"
	"embed"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/captcha"
	"propusk/server/filekind"
	"propusk/server/form"
	"propusk/server/mail"
	"propusk/server/page"
	"propusk/server/request"
	"propusk/server/store"
	"propusk/server/throttle"
	"propusk/server/visit"
)

//go:embed templates/*.html
var templates embed.FS

// Templates are the pages of this package.
func Templates() page.Set { return page.Set{Name: "support", Files: templates} }

// Paths on the public host.
const (
	// Path is the form. Its parameters check and code fill in the code of a result of the
	// check page and the support code of the page that the person comes from.
	Path = "/support"
	// PathDone says that a request was taken.
	PathDone = Path + "/done"
)

// topics are what people may write about.
var topics = []page.Option{
	{Value: "sign-in", Label: page.Text{RU: "Не получается войти", EN: "I cannot sign in"}},
	{Value: "registration", Label: page.Text{RU: "Регистрация и активация", EN: "Registration and activation"}},
	{Value: "certificate", Label: page.Text{RU: "Сертификат или токен", EN: "A certificate or a token"}},
	{Value: "signing", Label: page.Text{RU: "Подписание документов", EN: "Signing documents"}},
	{Value: "account", Label: page.Text{RU: "Учётная запись", EN: "My account"}},
	{Value: "other", Label: page.Text{RU: "Другое", EN: "Something else"}},
}

// limits are the fields of the form.
var limits = form.Limits{
	"name": {Max: 200}, "inn": {Max: 20}, "email": {Max: 254}, "phone": {Max: 40}, "topic": {Max: 20},
	"text": {Max: 5000, Lines: true}, "check": {Max: 40}, "code": {Max: 64},
	captcha.FieldID: {Max: 200}, captcha.FieldAnswer: {Max: 32},
	"files": {Max: 0}, // browsers send one without a name when none was chosen
}

// Codes that may come in addresses: of results of the check page, and of pages about failures.
var (
	checkCode   = regexp.MustCompile(`^[0-9A-Z]{2,8}(-[0-9A-Z]{2,8}){0,5}$`)
	supportCode = regexp.MustCompile(`^[0-9A-Za-z-]{1,64}$`)
	phone       = regexp.MustCompile(`^[+0-9][0-9 ()-]{4,38}$`)
)

// rules bound requests, each of which writes a letter: from one network, and to one address.
var rules = throttle.Rules{
	Device: throttle.Budget{Burst: 5, Refill: time.Hour}, Pair: throttle.Budget{Burst: 5, Refill: time.Hour},
	Network: throttle.Budget{Burst: 10, Refill: time.Hour}, Around: throttle.Budget{Burst: 60, Refill: time.Hour},
	Login: throttle.Budget{Burst: 10, Refill: 24 * time.Hour},
}

// Options is what a Support needs.
type Options struct {
	Store    store.Store
	Visits   *visit.Keeper
	Captcha  *captcha.Keeper
	Throttle *throttle.Throttle
	Mail     mail.Composer
	// Check returns the certificate, in DER or nil, of a result of the check page, and false
	// if there is no such result.
	Check func(ctx context.Context, code string) (certificate []byte, ok bool)
	// Pages has the set [Templates].
	Pages *page.Book
	// Refuse writes the page about a form that was not taken.
	Refuse form.Refuse
	Now    func() time.Time
}

// Support answers on the public host. It is safe for concurrent use. Make it with New.
type Support struct {
	opts      Options
	uploading turnstile
}

// New returns a Support.
func New(o Options) *Support {
	return &Support{opts: o, uploading: turnstile{inside: make(map[netip.Prefix]int)}}
}

// Routes adds the routes of the public host.
func (s *Support) Routes(r gin.IRouter) {
	request.Get(r, Path, s.ask)
	r.POST(Path, s.letUpload, form.GuardUpload(s.opts.Refuse, MaxUpload), s.take)
	request.Get(r, PathDone, s.done)
}

// letUpload lets a request on whose body, of up to MaxUpload bytes, is read into memory, unless
// there are too many of them.
func (s *Support) letUpload(c *gin.Context) {
	network := request.Network(c.Request.RemoteAddr)
	if !s.uploading.enter(network) {
		c.Abort()
		s.fail(call{w: c.Writer, r: c.Request}, reason.New(reason.ServerBusy, nil))
		return
	}
	defer s.uploading.leave(network)
	c.Next()
}

// formPage is what the page with the form sees.
type formPage struct {
	// Known is whether the person is signed in: name and ИНН are those of the account.
	Known       bool
	Name, INN   string
	Certificate bool // goes along with the request
	Topics      []page.Option
	Captcha     page.Captcha
	Asked       bool // for the captcha
}

// call is one request of a person.
type call struct {
	w       http.ResponseWriter
	r       *http.Request
	visit   account.Visit
	account account.Account
	known   bool
}

func (s *Support) call(c *gin.Context) call {
	x := call{w: c.Writer, r: c.Request}
	x.visit, x.account, x.known = s.opts.Visits.Of(c.Request)
	return x
}

// ask shows the form, filled in as far as that goes (SP-02).
func (s *Support) ask(c *gin.Context) {
	x := s.call(c)
	values := form.Values{}
	if x.known {
		values["email"], values["phone"] = x.account.Email.Reveal(), x.account.Phone.Reveal()
	}
	query := x.r.URL.Query()
	if code := query.Get("check"); checkCode.MatchString(code) {
		values["check"] = code
	}
	if code := query.Get("code"); supportCode.MatchString(code) {
		values["code"] = code
	}
	s.show(x, values, nil, s.opts.Captcha.Known(x.r))
}

// show writes the form.
func (s *Support) show(x call, values form.Values, wrong form.Errors, human bool) {
	data := formPage{Known: x.known, Topics: topics, Asked: !human}
	if x.known {
		data.Name, data.INN = x.account.Identity.Name.Reveal(), x.account.Identity.INN.Reveal()
		data.Certificate = x.visit.CertSHA256 != [32]byte{}
	}
	if !human {
		data.Captcha = s.opts.Captcha.Issue()
	}
	page.Written(x.w, x.r, s.opts.Pages.Show(x.w, x.r, "support/form", page.View{
		Title: page.Text{RU: "Техническая поддержка", EN: "Support"},
		Lead: page.Text{
			RU: "Опишите, что случилось. Ответ придёт на электронную почту в течение двух рабочих дней.",
			EN: "Tell us what happened. The answer comes by e-mail within two working days.",
		},
		Token: form.Token(x.w, x.r), Who: s.person(x), Errors: wrong, Values: values.Kept(captcha.FieldAnswer, captcha.FieldID, "files"),
		Here: Path, Data: data,
	}))
}

func (s *Support) person(x call) *page.Person {
	if !x.known {
		return nil
	}
	return visit.Header(x.visit, x.account)
}

// take takes a request.
func (s *Support) take(c *gin.Context) {
	x := s.call(c)
	values, err := form.Parse(x.r, limits)
	if err != nil {
		s.fail(x, err)
		return
	}
	human := s.opts.Captcha.Use(x.r) // once in a session (SP-04, GU-15)
	var wrong form.Errors
	if !human {
		if err := s.opts.Captcha.Check(values[captcha.FieldID], values[captcha.FieldAnswer]); err != nil {
			wrong.Add(captcha.FieldAnswer, textOf(err))
		} else {
			human = true
			s.opts.Captcha.Know(x.w)
		}
	}
	ticket, more := s.ticket(x, values)
	wrong = append(more, wrong...)
	var files []sight
	if human {
		if files, err = attached(x.r); err != nil {
			noteFiles(x, &wrong, err)
		}
	}
	if len(wrong) > 0 {
		s.show(x, values, wrong, human)
		return
	}
	if err := s.admit(x, ticket); err != nil {
		s.fail(x, err)
		return
	}
	kept, err := keep(files) // pictures are work, so it is the last that can be wrong
	if err != nil {
		noteFiles(x, &wrong, err)
		s.show(x, values, wrong, human)
		return
	}
	if err := s.open(x, &ticket, kept); err != nil {
		s.fail(x, err)
		return
	}
	http.Redirect(x.w, x.r, PathDone+"?number="+url.QueryEscape(ticket.Number), http.StatusSeeOther)
}

// noteFiles says at the field what is wrong with the files.
func noteFiles(x call, wrong *form.Errors, err error) {
	event := request.From(x.r.Context())
	event.Code, event.Err = reason.Of(err), err
	wrong.Add("files", textOf(err))
}

// ticket makes a ticket of the form, and says what is wrong with that.
func (s *Support) ticket(x call, v form.Values) (account.Ticket, form.Errors) {
	var wrong form.Errors
	t := account.Ticket{
		Topic: v["topic"], Language: page.Language(x.r), Text: person.NewPrivate(v["text"]),
		Phone: person.NewPrivate(v["phone"]), Email: person.NewEmail(v["email"]), Check: v["check"], Support: v["code"],
	}
	if x.known { // not what the form says
		t.Account, t.Name, t.INN = x.account.ID, x.account.Identity.Name, x.account.Identity.INN
	} else {
		t.Name = person.NewName(v["name"])
		if t.Name.IsZero() {
			wrong.Add("name", page.Text{RU: "Напишите фамилию, имя и отчество.", EN: "Write your name."})
		}
		var err error
		if t.INN, err = person.ParseINN(v["inn"]); err != nil && v["inn"] != "" { // GU-16
			wrong.Add("inn", page.Text{RU: "В ИНН 12 цифр, и последние две — контрольные. Проверьте номер или оставьте поле пустым.", EN: "The INN has 12 digits, the last two of which check the others; correct it or leave it out."})
		}
	}
	if !mail.Deliverable(v["email"]) {
		wrong.Add("email", page.Text{RU: "Напишите адрес электронной почты, как в ivan@example.ru: на него придёт ответ.", EN: "Write an e-mail address such as ivan@example.ru: the answer goes there."})
	}
	if v["phone"] != "" && !phone.MatchString(v["phone"]) {
		wrong.Add("phone", page.Text{RU: "В номере телефона могут быть цифры, пробелы, скобки, дефис и плюс в начале.", EN: "A telephone number has digits, spaces, brackets, hyphens and a plus in front."})
	}
	if !slices.ContainsFunc(topics, func(o page.Option) bool { return o.Value == v["topic"] }) {
		wrong.Add("topic", page.Text{RU: "Выберите, о чём обращение.", EN: "Choose what it is about."})
	}
	switch {
	case filekind.SecretText([]byte(v["text"])): // neither stored nor shown again
		v["text"] = ""
		wrong.Add("text", page.Text{
			RU: "В тексте был закрытый ключ. Мы его не сохранили, но его передавали по сети: прекратите действие сертификата в удостоверяющем центре. Напишите обращение без ключа.",
			EN: "There was a private key in the text; it was not stored, but it has travelled, so have the certificate revoked. Write again without the key.",
		})
	case len([]rune(v["text"])) < 10:
		wrong.Add("text", page.Text{RU: "Опишите, что вы делали и что увидели.", EN: "Describe what you did and what you saw."})
	}
	if v["check"] != "" && !checkCode.MatchString(strings.ToUpper(v["check"])) {
		wrong.Add("check", page.Text{RU: "Это не код проверки. Скопируйте его со страницы проверки или оставьте поле пустым.", EN: "That is no code of a check; copy it from the check page or leave it out."})
	}
	if v["code"] != "" && !supportCode.MatchString(v["code"]) {
		wrong.Add("code", page.Text{RU: "Это не код для поддержки. Скопируйте его со страницы об ошибке или оставьте поле пустым.", EN: "That is no support code; copy it from the page about the failure or leave it out."})
	}
	return t, wrong
}

// attached looks at the files of a form.
func attached(r *http.Request) ([]sight, error) {
	if r.MultipartForm == nil {
		return nil, nil
	}
	var files []File
	for name, sent := range r.MultipartForm.File {
		for _, header := range sent {
			if name != "files" {
				return nil, reason.Errorf(reason.FormMalformed, "files in another field")
			}
			if len(files) == maxFiles {
				return nil, reason.New(reason.TicketFilesMany, nil)
			}
			data, err := read(header)
			if err != nil {
				return nil, err
			}
			files = append(files, File{header.Filename, data})
		}
	}
	return look(files)
}

// read reads a file, which is in memory.
func read(header *multipart.FileHeader) ([]byte, error) {
	if header.Size > MaxFile {
		return nil, reason.New(reason.TicketFileLarge, nil)
	}
	f, err := header.Open()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(f)
	return data, errors.Join(err, f.Close())
}

// admit counts a request. One whose pictures turn out to be damaged was counted too: looking
// at them was the work.
func (s *Support) admit(x call, t account.Ticket) error {
	attempt := s.opts.Throttle.Attempt(x.r, "ticket", strings.ToLower(t.Email.Reveal()), rules)
	err := s.opts.Store.Update(x.r.Context(), func(tx store.Tx) error { return s.opts.Throttle.Begin(tx, attempt) })
	if refused := (*throttle.Refused)(nil); errors.As(err, &refused) {
		return reason.New(reason.TicketThrottled, err)
	}
	return err
}

// open writes a ticket. The certificate of the visit, or of the check, goes along (SP-03).
func (s *Support) open(x call, t *account.Ticket, files []account.Attachment) error {
	if t.Check = strings.ToUpper(t.Check); t.Check != "" && s.opts.Check != nil {
		if cert, ok := s.opts.Check(x.r.Context(), t.Check); ok {
			t.Certificate = cert
		}
	}
	return s.opts.Store.Update(x.r.Context(), func(tx store.Tx) error {
		if x.known && x.visit.CertSHA256 != [32]byte{} {
			key, err := tx.Key(x.visit.CertSHA256)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if err == nil {
				t.Certificate = key.DER
			}
		}
		return Open(tx, s.opts.Mail, t, files, s.opts.Now())
	})
}

// done says that a request was taken. The number in the address tells nobody anything.
func (s *Support) done(c *gin.Context) {
	x := s.call(c)
	n := x.r.URL.Query().Get("number")
	if !KnownNumber(n) {
		s.fail(x, reason.New(reason.PageNotFound, nil))
		return
	}
	page.Written(x.w, x.r, s.opts.Pages.Show(x.w, x.r, "support/done", page.View{
		Title: page.Text{RU: "Обращение принято", EN: "Your request was taken"}, Tone: "good", Who: s.person(x), Data: n,
	}))
}

// fail writes the page about what went wrong.
func (s *Support) fail(x call, err error) {
	event := request.From(x.r.Context())
	event.Code, event.Err = reason.Of(err), err
	s.opts.Refuse(x.w, x.r, event.Code)
}

// textOf is what is said at a field.
func textOf(err error) page.Text {
	e, ok := reason.Lookup(reason.Of(err))
	if !ok {
		e, _ = reason.Lookup(reason.InternalError)
	}
	return page.Text{RU: e.RU, EN: e.EN}
}
