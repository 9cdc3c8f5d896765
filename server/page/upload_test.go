package page

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"propusk/pki/reason"
)

// TestUploadPage: the form works without scripts, everything in it has a label, and
// nothing comes from elsewhere.
func TestUploadPage(t *testing.T) {
	b := newBook(t, testSite())
	w := httptest.NewRecorder()
	if err := b.Upload(w, httptest.NewRequest(http.MethodGet, "/verify", nil)); err != nil {
		t.Fatal(err)
	}
	body := w.Body.String()
	wellFormed(t, body)
	for _, must := range []string{
		`<html lang="ru">`, `action="/verify" method="post" enctype="multipart/form-data"`, `type="submit"`, `role="status"`, "Код обращения", "Техническая поддержка",
	} {
		if !strings.Contains(body, must) {
			t.Errorf("the page lacks %q", must)
		}
	}
	for _, id := range regexp.MustCompile(`<(?:input|select)[^>]* id="([a-z]+)"`).FindAllStringSubmatch(body, -1) {
		if !strings.Contains(body, `<label for="`+id[1]+`"`) {
			t.Errorf("the field %s has no label", id[1])
		}
	}
	for _, hint := range regexp.MustCompile(`aria-(?:describedby|labelledby)="([a-z-]+)"`).FindAllStringSubmatch(body, -1) {
		if !strings.Contains(body, `id="`+hint[1]+`"`) {
			t.Errorf("nothing has the id %s", hint[1])
		}
	}
	// The signature goes first, so that a long document is hashed with one algorithm.
	if strings.Index(body, `name="signature"`) > strings.Index(body, `name="content"`) {
		t.Error("the document is sent before the signature")
	}
	if scripts := regexp.MustCompile(`<script[^>]*>`).FindAllString(body, -1); len(scripts) != 1 || scripts[0] != `<script src="/static/verify.js" defer="defer">` {
		t.Errorf("scripts %q", scripts)
	}
	for _, mustNot := range []string{" style=", " onclick", " onsubmit", "http://", "<style"} {
		if strings.Contains(strings.ReplaceAll(body, "http://check.example", ""), mustNot) {
			t.Errorf("the page has %q", mustNot)
		}
	}
	csp := w.Header().Get("Content-Security-Policy")
	for _, must := range []string{"default-src 'none'", "script-src 'self';", "connect-src 'self';", "form-action 'self'", "frame-ancestors 'none'", "'sha256-"} {
		if !strings.Contains(csp, must) {
			t.Errorf("the policy %q lacks %q", csp, must)
		}
	}
	if strings.Contains(csp, "unsafe") {
		t.Errorf("the policy %q is loose", csp)
	}
}

// TestUploadRefused: every reason has a page that leads back to the form, and a private
// key has words of its own.
func TestUploadRefused(t *testing.T) {
	b := newBook(t, testSite())
	for _, e := range reason.All() {
		w := render(t, func(w http.ResponseWriter, r *http.Request) error { return b.UploadRefused(w, r, e.Code) })
		if body := w.Body.String(); w.Code < 400 || !strings.Contains(body, `data-code="`+string(e.Code)+`"`) || !strings.Contains(body, `href="/verify"`) {
			t.Errorf("%s: %d\n%s", e.Code, w.Code, body)
		}
	}
	for _, code := range []reason.Code{reason.FileIsPrivateKey, reason.FileIsPKCS12} {
		w := render(t, func(w http.ResponseWriter, r *http.Request) error { return b.UploadRefused(w, r, code) })
		if !strings.Contains(w.Body.String(), "Не отправляйте закрытый ключ") || !strings.Contains(w.Body.String(), "прекратите его действие") {
			t.Errorf("%s: no warning", code)
		}
	}
	w := render(t, func(w http.ResponseWriter, r *http.Request) error {
		return b.UploadRefused(w, r, reason.RequestFieldMissing)
	})
	if body := w.Body.String(); !strings.Contains(body, "Файл подписи не выбран") || strings.Contains(body, "В запросе") {
		t.Errorf("a form without a signature: %s", body)
	}
}

// TestHomeLeadsToUpload: only where there is such a page.
func TestHomeLeadsToUpload(t *testing.T) {
	site := testSite()
	for _, upload := range []bool{false, true} {
		site.Upload = upload
		home := render(t, newBook(t, site).Home)
		if strings.Contains(home.Body.String(), `href="/verify"`) != upload {
			t.Errorf("upload %v, and the link is %v", upload, !upload)
		}
	}
}
