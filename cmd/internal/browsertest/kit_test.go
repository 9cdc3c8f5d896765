package browsertest

import (
	"image"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/reason"
	"propusk/server/form"
	"propusk/server/page"
	"propusk/server/request"
)

// TestKit looks at everything that pages are built of, right and wrong, in both languages,
// at a desk, on a telephone, with more contrast, with the colours of the system and on
// paper.
func TestKit(t *testing.T) {
	t.Parallel()
	Require(t)
	Run(t, "kit", map[string]any{"kit": newKit(t).URL})
}

type kitData struct {
	Options []page.Option
	Captcha page.Captcha
	Facts   []page.Fact
	At      time.Time
}

func kitView(w http.ResponseWriter, r *http.Request) page.View {
	return page.View{
		Title: page.Text{RU: "Всё, из чего сделаны страницы", EN: "What pages are made of"},
		Lead:  page.Text{RU: "Страница для проверки оформления.", EN: "A page to look at the design."},
		Token: form.Token(w, r),
		Who:   &page.Person{Name: "Примеров Пример Примерович", Taxpayer: "ИП Примеров П. П., ИНН 980000000100", Account: "/", SignOut: "/form", Switch: "/"},
		Data: kitData{
			Options: []page.Option{
				{Value: "totp", Label: page.Text{RU: "Приложение", EN: "An application"}, Hint: page.Text{RU: "Коды меняются каждые 30 секунд.", EN: "Codes change every 30 seconds."}},
				{Value: "mail", Label: page.Text{RU: "Письмо", EN: "A letter"}},
			},
			Captcha: page.Captcha{ID: "1", Picture: "/captcha.png", Sound: "/captcha.wav", Question: page.Text{RU: "Сколько будет два и три?", EN: "What is two and three?"}, Again: "/"},
			Facts:   []page.Fact{{Label: page.Text{RU: "ИНН", EN: "ИНН"}, Value: "980000000100"}},
			At:      time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC),
		},
	}
}

// newKit serves the page as the gateway does, with its headers and its guard.
func newKit(t *testing.T) *httptest.Server {
	t.Helper()
	book, err := page.New(page.Site{}, page.Set{Name: "kit", Files: os.DirFS("testdata/kit")})
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(w http.ResponseWriter, r *http.Request, code reason.Code) {
		page.Written(w, r, book.Failure(w, r, page.Failure{Code: code}))
	}
	e := request.NewEngine(request.Options{
		Host: "kit", Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now, Refuse: refuse, Observe: func(request.Outcome) {},
	})
	e.Use(func(c *gin.Context) { page.KeepLanguage(c.Writer, c.Request) })
	request.Get(e, "/", func(c *gin.Context) {
		page.Written(c.Writer, c.Request, book.Show(c.Writer, c.Request, "kit/all", kitView(c.Writer, c.Request)))
	})
	e.POST("/form", form.Guard(refuse), func(c *gin.Context) {
		v := kitView(c.Writer, c.Request)
		v.Here = "/"
		limits := form.Limits{"drop": {Max: 1}}
		for _, name := range []string{"email", "password", "code", "number", "why", "topic", "kind", "file", "agree", "captcha-id", "captcha"} {
			limits[name] = form.Limit{Max: 1000, Lines: name == "why"}
			v.Errors.Add(name, page.Text{RU: "Проверьте это поле", EN: "Look at this field"})
		}
		values, err := form.Parse(c.Request, limits)
		if err != nil {
			refuse(c.Writer, c.Request, reason.Of(err))
			return
		}
		v.Values, v.Errors = values, append(v.Errors[:9:9], v.Errors[10])
		page.Written(c.Writer, c.Request, book.Show(c.Writer, c.Request, "kit/all", v))
	})
	request.Get(e, "/captcha.png", func(c *gin.Context) {
		c.Header("Content-Type", "image/png")
		png.Encode(c.Writer, image.NewGray(image.Rect(0, 0, 240, 80))) //nolint:errcheck // the browser notices
	})
	static := gin.WrapH(page.Static())
	for _, path := range page.StaticFiles() {
		request.Get(e, path, static)
	}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return server
}
