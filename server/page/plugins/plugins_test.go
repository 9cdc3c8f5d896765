package plugins

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

// get asks the handler for a path.
func get(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// TestHandler sees that the files are served, and that nothing else of the directory is.
func TestHandler(t *testing.T) {
	for _, path := range []string{"/static/plugins/README", "/static/plugins/", "/static/plugins/../plugins.go", "/static/plugins/none.js"} {
		if w := get(path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if !Built() {
		if len(Files()) != 0 || ScriptSources() != "'self'" || get(ScriptPath).Code != http.StatusNotFound {
			t.Error("plug-ins are offered without the script")
		}
		return
	}
	for _, path := range Files() {
		if w := get(path); w.Code != http.StatusOK || w.Body.Len() == 0 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/") {
			t.Errorf("%s: %d %s", path, w.Code, w.Header())
		}
	}
}

// TestScript looks into what was built: it must run under the policy of the page, and
// carry the notices that the licences of its parts ask for.
func TestScript(t *testing.T) {
	if !Built() {
		if os.Getenv("PROPUSK_REQUIRE_INTEROP") == "1" {
			t.Fatal("dist has no script: make plugins")
		}
		t.Skip("dist has no script: make plugins")
	}
	script := get(ScriptPath).Body.String()
	// What the policy of the page would refuse, and what asks the browser for its name.
	for _, forbidden := range []string{`\beval\(`, `new Function`, `navigator\.userAgent`} {
		if found := regexp.MustCompile(forbidden).FindString(script); found != "" {
			t.Errorf("the script has %q", found)
		}
	}
	for _, id := range Extensions() {
		if !strings.Contains(script, id) || !strings.Contains(ScriptSources(), "chrome-extension://"+id) {
			t.Errorf("extension %s is not known to the script and to the policy", id)
		}
	}
	licences := get(LicencesPath).Body.String()
	for _, notice := range []string{"crypto-pro", "Copyright (c) 2020 Vitalii Goma", "@aktivco/rutoken-plugin", "Aktiv"} {
		if !strings.Contains(licences, notice) {
			t.Errorf("the notices do not have %q", notice)
		}
	}
	if strings.Contains(licences, "GNU GENERAL PUBLIC LICENSE") {
		t.Error("a part is under the GPL")
	}
}
