package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page and its style
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"sync"
)

// Languages of the protocol page.
const (
	Russian = "ru"
	English = "en"
)

//go:embed page/protocol.html
var pageSource string

//go:embed page/protocol.css
var pageStyle string

// pageTemplate is parsed on first use. A mistake in it is ours, and is returned to
// everybody who asks.
var pageTemplate = sync.OnceValues(func() (*template.Template, error) {
	return template.New("protocol").Option("missingkey=error").Parse(pageSource)
})

// ContentSecurityPolicy is the header under which [HTML] is to be served: the page
// runs nothing, fetches nothing and is framed by nobody; its one style is named by
// its digest. The page states the same of itself, for when it is opened as a file.
func ContentSecurityPolicy() string { return pageSecurity() + "; frame-ancestors 'none'" }

// pageSecurity is the policy without what a page may not say of itself.
func pageSecurity() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}

// HTML writes the page «Протокол проверки электронной подписи» for people: one
// document without scripts and without anything fetched from elsewhere, to be read
// on a screen and printed on paper. The language is [Russian] or [English]; any
// other is Russian. It shows personal data and must not be cached or logged.
//
// Nothing is written if the page cannot be made; otherwise an error is of w.
func HTML(w io.Writer, d *Document, lang string) error {
	t, err := pageTemplate()
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	var page bytes.Buffer
	if err := t.Execute(&page, newPage(d, lang)); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if _, err := w.Write(page.Bytes()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
