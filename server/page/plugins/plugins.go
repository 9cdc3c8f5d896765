// Package plugins serves the script that lets a person sign on the gateway's page with
// a plug-in of a vendor: CryptoPro's (КриптоПро ЭЦП Browser plug-in) or Rutoken's
// (Рутокен Плагин).
//
// The script is built from src and two packages of npm by build.mjs into dist, which is
// not committed; `make plugins` does it. A program built without it works the same, and
// does not offer plug-ins: see [Built]. Third-party notices are served beside the
// script, as the licences of what is in it ask.
//
// README.md in this directory tells what the script expects of the page, why its
// Content-Security-Policy is what it is, and who gets to see the PIN.
package plugins

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed dist
var dist embed.FS

// Paths of what [Handler] serves.
const (
	ScriptPath   = "/static/plugins/plugins.js"
	LicencesPath = "/static/plugins/licences.txt"
)

// Extensions are the identifiers of CryptoPro's browser extension, in the order in
// which the script looks for them: that of Manifest V3 in Chrome's store, that of
// Manifest V2 there, and the one in Opera's store, which Yandex Browser uses too.
//
// A store binds an identifier to a key of the vendor: nobody else can publish under it.
func Extensions() []string {
	return []string{
		"pfhgbfnnjiafkhfdkmpiflachepdcjod",
		"iifchhfnnmpdbibifmljnfjhpififfog",
		"epebfcehmdedogndhlcacafjaacknbcm",
	}
}

// Built reports whether the script is in this program.
func Built() bool {
	_, err := fs.Stat(dist, "dist/plugins.js")
	return err == nil
}

// Files are the paths that [Handler] serves: none if the script is not built.
func Files() []string {
	if !Built() {
		return nil
	}
	return []string{ScriptPath, LicencesPath}
}

// Handler serves [Files], and nothing else.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		media := map[string]string{
			ScriptPath:   "text/javascript; charset=utf-8",
			LicencesPath: "text/plain; charset=utf-8",
		}[r.URL.Path]
		body, err := dist.ReadFile("dist/" + strings.TrimPrefix(r.URL.Path, "/static/plugins/"))
		if media == "" || err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", media)
		w.Header().Set("Cache-Control", "public, max-age=3600")
		w.Write(body) //nolint:errcheck // the client went away; there is nobody to tell
	})
}

// ScriptSources is the value of the directive script-src, of Content-Security-Policy,
// for a page with the script: our own host, and the origins of [Extensions], which give
// the page its half of the plug-in. Without the script it is 'self'.
//
// There is no 'unsafe-eval' and no 'unsafe-inline' in it: build.mjs makes the packages
// do without. Rutoken's extension needs no source: the browser puts its half into the
// page itself.
func ScriptSources() string {
	sources := []string{"'self'"}
	if Built() {
		for _, id := range Extensions() {
			sources = append(sources, "chrome-extension://"+id)
		}
	}
	return strings.Join(sources, " ")
}
