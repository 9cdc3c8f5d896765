package form

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"propusk/pki/reason"
)

// host takes forms at /, and forms with files at /upload.
func host(t *testing.T, took *http.Request) http.Handler {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	refuse := func(w http.ResponseWriter, _ *http.Request, code reason.Code) {
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, string(code))
	}
	take := func(c *gin.Context) { *took = *c.Request; c.String(http.StatusOK, "taken") }
	e.Any("/", Guard(refuse), take)
	e.POST("/upload", GuardUpload(refuse, 4<<10), take)
	return e
}

// visitor returns the cookie and the token of a browser that has seen a page.
func visitor(t *testing.T) (*http.Cookie, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	token := Token(w, r)
	cookies := w.Result().Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || strings.Contains(token, cookies[0].Value) {
		t.Fatalf("cookies %v", cookies)
	}
	again := httptest.NewRecorder()
	if Token(again, r) != token || len(again.Result().Cookies()) != 0 {
		t.Error("a second form of one page has another token")
	}
	back := httptest.NewRequest(http.MethodGet, "/", nil)
	back.AddCookie(cookies[0])
	if Token(again, back) != token || len(again.Result().Cookies()) != 0 {
		t.Error("the next page has another token")
	}
	return cookies[0], token
}

func post(cookie *http.Cookie, token string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "https://public.example/", strings.NewReader(url.Values{TokenField: {token}, "x": {"1"}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if cookie != nil {
		r.AddCookie(cookie)
	}
	return r
}

// TestGuard: what a browser sends from a page of this host passes, and nothing else.
func TestGuard(t *testing.T) {
	cookie, token := visitor(t)
	other, _ := visitor(t)
	header := func(name, value string) func(*http.Request) *http.Request {
		return func(r *http.Request) *http.Request { r.Header.Set(name, value); return r }
	}
	body := func(media, text string) func(*http.Request) *http.Request {
		return func(r *http.Request) *http.Request {
			r.Header.Set("Content-Type", media)
			r.Body = io.NopCloser(strings.NewReader(text))
			return r
		}
	}
	const urlencoded = "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		cookie *http.Cookie
		token  string
		change func(*http.Request) *http.Request
		want   string
	}{
		"a form":                     {cookie, token, nil, "taken"},
		"of a modern browser":        {cookie, token, header("Sec-Fetch-Site", "same-origin"), "taken"},
		"with its origin":            {cookie, token, header("Origin", "https://public.example"), "taken"},
		"with an origin kept back":   {cookie, token, header("Origin", "null"), "taken"},
		"GET":                        {nil, "", func(r *http.Request) *http.Request { r.Method = http.MethodGet; return r }, "taken"},
		"another site":               {cookie, token, header("Sec-Fetch-Site", "cross-site"), "form-from-elsewhere"},
		"another host of the domain": {cookie, token, header("Sec-Fetch-Site", "same-site"), "form-from-elsewhere"},
		"no site at all":             {cookie, token, header("Sec-Fetch-Site", "none"), "form-from-elsewhere"},
		"another origin":             {cookie, token, header("Origin", "https://evil.example"), "form-from-elsewhere"},
		"another port":               {cookie, token, header("Origin", "https://public.example:444"), "form-from-elsewhere"},
		"an origin that is none":     {cookie, token, header("Origin", "://"), "form-from-elsewhere"},
		"no cookie":                  {nil, token, nil, "form-expired"},
		"no token":                   {cookie, "", nil, "form-expired"},
		"the token of another":       {other, token, nil, "form-expired"},
		"the cookie as token":        {cookie, cookie.Value, nil, "form-expired"},
		"a cookie of another length": {&http.Cookie{Name: cookie.Name, Value: "AAAA"}, tokenOf([]byte{0, 0, 0}), nil, "form-expired"},
		"an empty cookie":            {&http.Cookie{Name: cookie.Name}, tokenOf(nil), nil, "form-expired"},
		"two cookies":                {cookie, token, func(r *http.Request) *http.Request { r.AddCookie(other); return r }, "form-expired"},
		"two tokens":                 {cookie, token, body(urlencoded, TokenField+"="+token+"&"+TokenField+"="+token), "form-expired"},
		"a token in the address":     {cookie, "", func(r *http.Request) *http.Request { r.URL.RawQuery = TokenField + "=" + token; return r }, "form-expired"},
		"JSON":                       {cookie, token, body("application/json", `{}`), "form-malformed"},
		"text":                       {cookie, token, body("text/plain", TokenField+"="+token), "form-malformed"},
		"no media type":              {cookie, token, body("", TokenField+"="+token), "form-malformed"},
		"files where there are none": {cookie, token, body("multipart/form-data; boundary=x", ""), "form-malformed"},
		"bad escapes":                {cookie, token, body(urlencoded, TokenField+"=%zz"), "form-malformed"},
		"too much":                   {cookie, token, body(urlencoded, "x="+strings.Repeat("x", MaxBody)), "form-too-large"},
	} {
		r := post(c.cookie, c.token)
		if c.change != nil {
			r = c.change(r)
		}
		w := httptest.NewRecorder()
		host(t, new(http.Request)).ServeHTTP(w, r)
		if got := w.Body.String(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// upload is a form with a file.
func upload(t *testing.T, cookie *http.Cookie, token string, size int) *http.Request {
	t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	m.WriteField("text", "x")
	if _, err := m.CreateFormFile("none", ""); err != nil { // as browsers send a field for a file that nobody chose
		t.Fatal(err)
	}
	file, err := m.CreateFormFile("file", "a.cer")
	if err != nil {
		t.Fatal(err)
	}
	file.Write(make([]byte, size))
	m.WriteField(TokenField, token)
	m.Close()
	r := httptest.NewRequest(http.MethodPost, "/upload", &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.AddCookie(cookie)
	return r
}

func TestGuardUpload(t *testing.T) {
	cookie, token := visitor(t)
	var took http.Request
	h := host(t, &took)
	for _, c := range []struct {
		r    *http.Request
		want string
	}{
		{upload(t, cookie, token, 2<<10), "taken"},
		{upload(t, cookie, "x", 2<<10), "form-expired"},
		{upload(t, cookie, token, 4<<10), "form-too-large"},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, c.r)
		if got := w.Body.String(); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	if files := took.MultipartForm.File["file"]; len(files) != 1 || files[0].Size != 2<<10 {
		t.Errorf("files %v", files)
	}
	v, err := Parse(&took, Limits{"text": {Max: 1}})
	if err != nil || v["text"] != "x" || len(v) != 1 {
		t.Errorf("%v, %v", v, err)
	}
}

func TestParse(t *testing.T) {
	limits := Limits{"name": {Max: 5}, "password": {Max: 8, Raw: true}, "text": {Max: 20, Lines: true}}
	for body, want := range map[string]Values{
		"name=+%D0%98%D0%B2%D0%B0%D0%BD%D1%8B+": {"name": "Иваны"},
		"password=+x+":                          {"password": " x "},
		"text=a%0D%0Ab%09c":                     {"text": "a\nb\tc"},
		"form-token=x&name=":                    {"name": ""},
		"":                                      {},
		"name=%D0%98%D0%B2%D0%B0%D0%BD%D1%8B%D1%85": nil, // six characters
		"name=a&name=b":      nil,
		"other=1":            nil,
		"name=%FF":           nil,
		"name=a%00":          nil,
		"name=a%0Ab":         nil,
		"name=a%7F":          nil,
		"text=a%1B":          nil,
		"password=123456789": nil,
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if err := r.ParseForm(); err != nil {
			t.Fatal(err)
		}
		got, err := Parse(r, limits)
		if want == nil {
			if !errors.Is(err, reason.FormMalformed) || got != nil {
				t.Errorf("%s: %v, %v", body, got, err)
			}
			continue
		}
		if err != nil || len(got) != len(want) {
			t.Errorf("%s: %v, %v", body, got, err)
		}
		for name := range want {
			if got[name] != want[name] {
				t.Errorf("%s: %v", body, got)
			}
		}
	}
	if _, err := Parse(httptest.NewRequest(http.MethodPost, "/", nil), limits); err == nil {
		t.Error("a form that nobody guarded")
	}
	many := url.Values{}
	for i := range maxFields + 1 {
		many.Set(strings.Repeat("x", i+1), "")
	}
	if _, err := Parse(&http.Request{PostForm: many}, limits); err == nil {
		t.Error("a hundred fields")
	}
}

func TestKept(t *testing.T) {
	v := Values{"email": "a", "password": "b"}
	if kept := v.Kept("password"); len(kept) != 1 || kept["email"] != "a" || v["password"] != "b" {
		t.Errorf("%v of %v", kept, v)
	}
}

// FuzzParse: nothing that a browser can be made to send passes with more than its limits.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "name=a", "name=%FF", "text=%0D%0A", "password=+", "name=a&name=b", "form-token=x", "%=", "name=a;b=c", "text=" + strings.Repeat("%F0%9F%94%91", 20)} {
		f.Add(seed)
	}
	limits := Limits{"name": {Max: 5}, "password": {Max: 8, Raw: true}, "text": {Max: 20, Lines: true}}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if r.ParseForm() != nil {
			return
		}
		values, err := Parse(r, limits)
		if err != nil {
			if values != nil {
				t.Error("an error with values")
			}
			return
		}
		for name, value := range values {
			limit, ok := limits[name]
			if !ok || len([]rune(value)) > limit.Max || strings.ContainsAny(value, "\x00\r\x1b\x7f") || !limit.Lines && strings.Contains(value, "\n") {
				t.Errorf("%q passed as %s", value, name)
			}
		}
	})
}

// FuzzGuard: no cookie and token pass that do not belong together.
func FuzzGuard(f *testing.F) {
	seed := make([]byte, seedSize)
	f.Add(base64.RawURLEncoding.EncodeToString(seed), tokenOf(seed)+"x")
	f.Add("", "")
	f.Add("AAAA", tokenOf([]byte{0, 0, 0}))
	f.Fuzz(func(t *testing.T, cookie, token string) {
		r := post(&http.Cookie{Name: plainCookie, Value: cookie}, token)
		if admit(httptest.NewRecorder(), r, MaxBody, false) != nil {
			return
		}
		if seed, err := base64.RawURLEncoding.DecodeString(strings.Trim(cookie, `"`)); err != nil || len(seed) != seedSize || tokenOf(seed) != token {
			t.Errorf("%q passed with %q", cookie, token)
		}
	})
}
