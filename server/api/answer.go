package api

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"propusk/pki/reason"
	"propusk/pki/report"
)

// Formats of an answer, as the query names them.
const (
	formatJSON   = "json"
	formatHTML   = "html"
	formatSigned = "signed"
)

// form is how a client wants its answer.
type form struct {
	format string
	lang   string
}

// formOf reads the wish of a client: the query, or else the Accept header. Nothing else
// may be in the query: a parameter that is misspelt must not be taken for absent.
func formOf(r *http.Request) (form, error) {
	f := form{format: formatJSON, lang: report.Russian}
	if prefersHTML(r.Header.Values("Accept")) {
		f.format = formatHTML
	}
	if r.URL.RawQuery == "" {
		return f, nil
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return form{}, reason.Errorf(reason.RequestMalformed, "the query of the address cannot be read")
	}
	for _, p := range []struct {
		name    string
		to      *string
		allowed []string
	}{
		{"format", &f.format, []string{formatJSON, formatHTML, formatSigned}},
		{"lang", &f.lang, []string{report.Russian, report.English}},
	} {
		values := query[p.name]
		delete(query, p.name)
		switch {
		case len(values) == 0:
		case len(values) > 1:
			return form{}, reason.Errorf(reason.RequestFieldRepeated, "the query has %q twice", p.name)
		case !slices.Contains(p.allowed, values[0]):
			return form{}, reason.Errorf(reason.RequestFieldBad, "%q in the query must be one of %s", p.name, strings.Join(p.allowed, ", "))
		default:
			*p.to = values[0]
		}
	}
	if len(query) > 0 {
		return form{}, reason.Errorf(reason.RequestFieldUnknown, "the query has a parameter that is not in the description; known are format, lang")
	}
	return f, nil
}

// check refuses what this gateway does not do, before it reads the body.
func (a *API) check(f form) error {
	if f.format == formatSigned && a.opts.Signatory == nil {
		return reason.Errorf(reason.RequestFieldBad, "this gateway does not sign reports")
	}
	return nil
}

// prefersHTML reports whether pages are more welcome than JSON: RFC 9110, Section
// 12.5.1. Who says nothing, or does not care, is a program.
func prefersHTML(accept []string) bool {
	html, rest := -1.0, -1.0
	for _, header := range accept {
		for item := range strings.SplitSeq(header, ",") {
			media, params, err := mime.ParseMediaType(item)
			if err != nil {
				continue
			}
			q := 1.0
			if text, given := params["q"]; given {
				if q, err = strconv.ParseFloat(text, 64); err != nil {
					continue
				}
			}
			switch media {
			case "text/html", "application/xhtml+xml":
				html = max(html, q)
			case "application/json", "application/*", "*/*":
				rest = max(rest, q)
			}
		}
	}
	return html > 0 && html > rest
}

// write answers with a document in the form that was asked for. The page is there for
// verdicts about signatures; those about certificates are JSON.
func (a *API) write(w http.ResponseWriter, r *http.Request, f form, document any) {
	d, ok := document.(*report.Document)
	switch {
	case ok && f.format == formatHTML:
		a.writeHTML(w, r, d, f.lang)
	case ok && f.format == formatSigned:
		signed, err := report.Sign(nil, d, *a.opts.Signatory)
		if err != nil {
			Refuse(w, r, err)
			return
		}
		writeJSON(w, typeSigned, signed)
	default:
		writeJSON(w, typeJSON, document)
	}
}

// writeHTML answers with the protocol page.
func (a *API) writeHTML(w http.ResponseWriter, r *http.Request, d *report.Document, lang string) {
	var page bytes.Buffer
	if err := report.HTML(&page, d, lang); err != nil {
		Refuse(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang)
	h.Set("Content-Security-Policy", report.ContentSecurityPolicy())
	h.Set("Content-Length", strconv.Itoa(page.Len()))
	w.WriteHeader(http.StatusOK)
	w.Write(page.Bytes()) //nolint:errcheck // the client went away; there is nobody to tell
}

// typeSigned is the type of a report with its signature.
const typeSigned = "application/vnd.propusk.signed-report+json"

// writeJSON answers with a document in JSON.
func writeJSON(w http.ResponseWriter, contentType string, document any) {
	buffer, ok := buffers.Get().(*[]byte)
	if !ok {
		buffer = new(make([]byte, 0, usualDocument))
	}
	defer buffers.Put(buffer)
	body := append(encode((*buffer)[:0], document), '\n')
	if cap(body) <= 4*usualDocument { // a long answer is not kept for the next one
		*buffer = body
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	w.Write(body) //nolint:errcheck // the client went away; there is nobody to tell
}

// buffers holds buffers for documents, as *[]byte.
var buffers sync.Pool

// usualDocument is about how long the verdict on one signature is, in bytes.
const usualDocument = 16 << 10

// encode appends a document in JSON to b.
func encode(b []byte, document any) []byte {
	if d, ok := document.(*report.Document); ok {
		return d.AppendJSON(b)
	}
	text, err := json.Marshal(document)
	if err != nil {
		panic("api: a document does not encode: " + err.Error())
	}
	return append(b, text...)
}
