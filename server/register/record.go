package register

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"propusk/pki/person"
)

// record is an entry in JSON: a line of a file, and the answer of a service.
type record struct {
	INN      string `json:"inn"`
	OGRNIP   string `json:"ogrnip"`
	Name     string `json:"name"`
	Born     string `json:"born,omitempty"`
	Document string `json:"document,omitempty"`
	Closed   string `json:"closed,omitempty"`
}

// Limits of an entry, in bytes and characters.
const (
	maxRecord = 4 << 10
	maxName   = 300
	maxNumber = 40
)

// errRecord tells what is wrong with an entry, without repeating it.
var errRecord = errors.New("register: not an entry")

// parse reads one entry: one JSON object with these members and no others.
func parse(data []byte) (Entry, error) {
	var r record
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if len(data) > maxRecord || d.Decode(&r) != nil {
		return Entry{}, fmt.Errorf("%w: no JSON of its members, or too long", errRecord)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Entry{}, fmt.Errorf("%w: there is more behind it", errRecord)
	}
	return r.entry()
}

// entry checks the members.
func (r record) entry() (Entry, error) {
	var e Entry
	var err error
	if e.INN, err = person.ParseINN(r.INN); err != nil {
		return Entry{}, fmt.Errorf("%w: inn", errRecord)
	}
	if e.OGRNIP, err = person.ParseOGRNIP(r.OGRNIP); err != nil {
		return Entry{}, fmt.Errorf("%w: ogrnip", errRecord)
	}
	if r.Name == "" || utf8.RuneCountInString(r.Name) > maxName || len(r.Document) > maxNumber {
		return Entry{}, fmt.Errorf("%w: name or document", errRecord)
	}
	if r.Born != "" {
		if _, err := time.Parse(time.DateOnly, r.Born); err != nil {
			return Entry{}, fmt.Errorf("%w: born", errRecord)
		}
	}
	if r.Closed != "" {
		if e.Closed, err = time.Parse(time.DateOnly, r.Closed); err != nil {
			return Entry{}, fmt.Errorf("%w: closed", errRecord)
		}
	}
	e.Name, e.Born, e.Document = person.NewName(r.Name), person.NewPrivate(r.Born), person.NewPrivate(r.Document)
	return e, nil
}
