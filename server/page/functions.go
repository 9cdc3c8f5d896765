package page

import (
	"errors"
	"fmt"
	"html/template"
	"slices"
	"time"
)

// Option is one of the values of a choice.
type Option struct {
	Value string
	Label Text
	// Hint may be empty.
	Hint Text
}

// Captcha is what the partial "captcha" shows. Its answer is in the field captcha, and ID
// in the field captcha-id.
type Captcha struct {
	ID string
	// Picture is the path of a PNG of 240 × 80, Sound of a WAV; Sound may be empty.
	Picture, Sound string
	// Question is the same in words, for those who can neither see nor hear it; its answer
	// is in the same field. It may be empty.
	Question Text
	// Again is a path that shows the page with another one; it may be empty.
	Again string
}

// Step is one of the steps of "steps".
type Step struct {
	Label   string
	Done    bool
	Current bool
}

// field is what the partials of fields see.
type field struct {
	Name, Label, Hint, Error, Value string
	Type, Autocomplete, Inputmode   string
	Pattern, Accept                 string
	Max, Rows                       int
	Required, Readonly, Checked     bool
	Options                         []Option
}

// ID is of the element; the list of errors leads to it.
func (f field) ID() string { return "field-" + f.Name }

// DescribedBy are the IDs of what is said about the field.
func (f field) DescribedBy() string {
	var ids string
	if f.Error != "" {
		ids = f.ID() + "-error"
	}
	if f.Hint != "" {
		if ids != "" {
			ids += " "
		}
		ids += f.ID() + "-hint"
	}
	return ids
}

// functions are those of templates in one language.
func functions(lang string) template.FuncMap {
	return template.FuncMap{
		"t":        func(of ...any) (string, error) { return say(lang, of) },
		"lang":     func() string { return lang },
		"ru":       func() bool { return lang == Russian },
		"time":     func(t time.Time) string { return Moment(t).In(lang) },
		"date":     Date,
		"datetime": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"field": func(s shown, name, label string, more ...any) (field, error) {
			return newField(lang, s, name, label, more)
		},
		"steps":  newSteps,
		"notice": func(tone, text string) map[string]string { return map[string]string{"Tone": tone, "Text": text} },
		"captcha": func(s shown, c Captcha) map[string]any {
			f := field{Name: "captcha"}
			if t, ok := s.Errors.Of(f.Name); ok {
				f.Error = t.In(lang)
			}
			return map[string]any{"Captcha": c, "Field": f}
		},
	}
}

// say returns a sentence in a language: of a Text, or of two strings, Russian and English.
func say(lang string, of []any) (string, error) {
	switch {
	case len(of) == 1:
		if t, ok := of[0].(Text); ok {
			return t.In(lang), nil
		}
	case len(of) == 2:
		ru, okRU := of[0].(string)
		en, okEN := of[1].(string)
		if okRU && okEN {
			return Text{RU: ru, EN: en}.In(lang), nil
		}
	}
	return "", errors.New("t wants a Text, or a Russian and an English string")
}

// secret are the types of fields whose values are never written into a page.
func secret(f field) bool {
	return f.Type == "password" || slices.Contains([]string{"one-time-code", "current-password", "new-password", "off"}, f.Autocomplete)
}

// newField makes a field of a form: more are pairs of a key and a value.
func newField(lang string, s shown, name, label string, more []any) (field, error) {
	f := field{Name: name, Label: label, Type: "text", Value: s.Values[name], Rows: 4}
	if t, ok := s.Errors.Of(name); ok {
		f.Error = t.In(lang)
	}
	if len(more)%2 != 0 {
		return f, fmt.Errorf("field %s: a key without a value", name)
	}
	f.Checked = f.Value != ""
	for i := 0; i < len(more); i += 2 {
		key, ok := more[i].(string)
		if !ok || !f.set(key, more[i+1]) {
			return f, fmt.Errorf("field %s: %v = %T is not known", name, more[i], more[i+1])
		}
	}
	if secret(f) {
		f.Value = ""
	}
	return f, nil
}

// set sets one property, and reports whether there is such a one.
func (f *field) set(key string, value any) bool {
	switch v := value.(type) {
	case string:
		to := map[string]*string{
			"type": &f.Type, "hint": &f.Hint, "autocomplete": &f.Autocomplete, "inputmode": &f.Inputmode,
			"pattern": &f.Pattern, "accept": &f.Accept, "value": &f.Value,
		}[key]
		if to == nil {
			return false
		}
		*to = v
	case int:
		to := map[string]*int{"max": &f.Max, "rows": &f.Rows}[key]
		if to == nil {
			return false
		}
		*to = v
	case bool:
		to := map[string]*bool{"required": &f.Required, "readonly": &f.Readonly, "checked": &f.Checked}[key]
		if to == nil {
			return false
		}
		*to = v
	case []Option:
		f.Options = v
		return key == "options"
	default:
		return false
	}
	return true
}

// newSteps are the steps of something that takes several pages; the first has number 1.
func newSteps(current int, labels ...string) []Step {
	steps := make([]Step, len(labels))
	for i, label := range labels {
		steps[i] = Step{Label: label, Done: i+1 < current, Current: i+1 == current}
	}
	return steps
}
