package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"propusk/pki/person"
)

// maxDocument is how long a value may be as it is kept, in bytes: a file of a ticket is the
// longest.
const maxDocument = 32 << 20

// timeForm is RFC 3339 in UTC with microseconds.
const timeForm = "2006-01-02T15:04:05.000000Z"

// coder writes a value as a document in JSON, or reads it: the fields of a type are told
// once, for both ways. What is empty is left out.
type coder struct {
	fields  map[string]json.RawMessage
	reading bool
	err     error
}

// encode returns the document of a value, whose fields tell tells.
func encode[T any](tell func(*coder, *T), v T) ([]byte, error) {
	c := &coder{fields: make(map[string]json.RawMessage)}
	tell(c, &v)
	if c.err != nil {
		return nil, c.err
	}
	document, err := json.Marshal(c.fields)
	if err == nil && len(document) > maxDocument {
		err = fmt.Errorf("%w: longer than %d bytes", ErrInvalid, maxDocument)
	}
	return document, err
}

// decode is the inverse of encode. Its error tells the name of a field, and no value.
func decode[T any](tell func(*coder, *T), document []byte) (T, error) {
	var v, none T
	c := &coder{reading: true}
	if err := json.Unmarshal(document, &c.fields); err != nil {
		return none, errors.New("store: a document is not JSON")
	}
	tell(c, &v)
	if c.err != nil {
		return none, c.err
	}
	return v, nil
}

// plain is a field that JSON can hold as it is. v points to it.
func (c *coder) plain(name string, v any) {
	if c.reading {
		if raw, ok := c.fields[name]; ok && json.Unmarshal(raw, v) != nil {
			c.fail(name)
		}
		return
	}
	raw, err := json.Marshal(v)
	if err != nil {
		c.fail(name)
		return
	}
	switch string(raw) {
	case `""`, "0", "null", "false", "[]":
	default:
		c.fields[name] = raw
	}
}

// moment is a time, which is brought to what is kept of it.
func (c *coder) moment(name string, at *time.Time) {
	text := ""
	if !c.reading && !at.IsZero() {
		text = moment(*at).Format(timeForm)
	}
	c.plain(name, &text)
	if c.reading && text != "" {
		var err error
		if *at, err = time.Parse(timeForm, text); err != nil {
			c.fail(name)
		}
	}
}

// digest is 32 bytes.
func (c *coder) digest(name string, d *[32]byte) {
	var raw []byte
	if !c.reading && *d != [32]byte{} {
		raw = d[:]
	}
	c.plain(name, &raw)
	if c.reading && raw != nil && copy(d[:], raw) != len(d) {
		c.fail(name)
	}
}

// name, email and private are texts that print masked.
func (c *coder) name(name string, v *person.Name)       { masked(c, name, v, sure(person.NewName)) }
func (c *coder) email(name string, v *person.Email)     { masked(c, name, v, sure(person.NewEmail)) }
func (c *coder) private(name string, v *person.Private) { masked(c, name, v, sure(person.NewPrivate)) }

// masked is a field whose type prints masked.
func masked[T interface{ Reveal() string }](c *coder, name string, v *T, parse func(string) (T, error)) {
	text := (*v).Reveal()
	c.plain(name, &text)
	if c.reading && text != "" {
		var err error
		if *v, err = parse(text); err != nil {
			c.fail(name)
		}
	}
}

func sure[T any](f func(string) T) func(string) (T, error) {
	return func(s string) (T, error) { return f(s), nil }
}

// list is a field with values of a type of ours.
func list[T any](c *coder, name string, values *[]T, tell func(*coder, *T)) {
	var documents []json.RawMessage
	if !c.reading {
		for _, v := range *values {
			d, err := encode(tell, v)
			c.err = errors.Join(c.err, err)
			documents = append(documents, d)
		}
	}
	c.plain(name, &documents)
	if c.reading {
		for _, d := range documents {
			v, err := decode(tell, d)
			c.err = errors.Join(c.err, err)
			*values = append(*values, v)
		}
	}
}

func (c *coder) fail(name string) {
	c.err = errors.Join(c.err, fmt.Errorf("store: the field %q of a document cannot be kept or read", name))
}

// moment returns what is kept of a time.
func moment(at time.Time) time.Time { return at.UTC().Truncate(time.Microsecond) }

// micros returns a time as columns have it; 0 if it is zero.
func micros(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}
