// Package form reads the forms that people fill in on pages of the gateway, and makes sure
// that they were sent from those pages.
//
// Each page with a form calls [Token] and gives what it returns to page.View.Token; the
// partial "token" writes it into the form. The routes that take forms have [Guard] before
// them, which refuses what another site sent. Handlers then read the fields with [Parse].
package form

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"propusk/pki/reason"
	"propusk/server/page"
)

// Errors are what is wrong with a form, in the order of its fields.
type Errors = page.Errors

// Error is what is wrong with one field.
type Error = page.Error

// Limit is what a field may hold.
type Limit struct {
	// Max is how many characters it may have; what pages say in "max".
	Max int
	// Raw leaves white space at the ends as it is: for passwords.
	Raw bool
	// Lines allows new lines and tabs: for texts.
	Lines bool
}

// Limits are the fields of a form by name. Nothing but them may be sent.
type Limits map[string]Limit

// Values are the fields of a form by name, and empty for those that were not sent.
type Values map[string]string

// Kept returns the values without some of them, to be shown again: those that hold
// passwords and codes.
func (v Values) Kept(without ...string) Values {
	kept := maps.Clone(v)
	for _, name := range without {
		delete(kept, name)
	}
	return kept
}

// maxFields bounds the fields of a form.
const maxFields = 100

// Parse reads the fields of a form that [Guard] let through. The error is a
// [reason.FormMalformed]: nobody gets it by filling in the form of a page, since fields there
// end at their limits. It tells the name of the field only if that is in limits.
func Parse(r *http.Request, limits Limits) (Values, error) {
	if r.PostForm == nil {
		return nil, reason.Errorf(reason.FormMalformed, "the form was not read")
	}
	if len(r.PostForm) > maxFields {
		return nil, reason.Errorf(reason.FormMalformed, "more than %d fields", maxFields)
	}
	v := make(Values, len(limits))
	for name, sent := range r.PostForm {
		if name == TokenField {
			continue
		}
		limit, ok := limits[name]
		if !ok && noFile(r, sent) {
			continue
		}
		if !ok {
			return nil, reason.Errorf(reason.FormMalformed, "a field that the form does not have")
		}
		if len(sent) != 1 {
			return nil, reason.Errorf(reason.FormMalformed, "the field %s is there twice", name)
		}
		value, err := limit.clean(sent[0])
		if err != nil {
			return nil, reason.Errorf(reason.FormMalformed, "the field %s: %w", name, err)
		}
		v[name] = value
	}
	return v, nil
}

// noFile reports whether a field is one for a file for which none was chosen: browsers send a
// file without a name, which package multipart takes for an empty text.
func noFile(r *http.Request, sent []string) bool {
	return r.MultipartForm != nil && len(sent) == 1 && sent[0] == ""
}

// clean returns a value without white space at its ends and with the line ends of Unix.
func (l Limit) clean(value string) (string, error) {
	if !utf8.ValidString(value) {
		return "", errors.New("not UTF-8")
	}
	if l.Lines {
		value = strings.ReplaceAll(value, "\r\n", "\n") // as browsers send it
	}
	if !l.Raw {
		value = strings.TrimSpace(value)
	}
	for _, c := range value {
		if unicode.IsControl(c) && (!l.Lines || c != '\n' && c != '\t') {
			return "", errors.New("a control character")
		}
	}
	if utf8.RuneCountInString(value) > l.Max {
		return "", errors.New("too long")
	}
	return value, nil
}
