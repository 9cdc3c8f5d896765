package journal

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"propusk/gost/streebog"
	"propusk/pki/person"
	"propusk/pki/reason"
)

// Version is that of the form of records.
const Version = 1

// HashSize is the length of a hash, in bytes: Streebog with 256 bits.
const HashSize = streebog.Size256

// Limits of texts, in bytes. Whoever can make the gateway write must not fill its disk by it.
const (
	maxText = 512
	maxLine = 16 << 10
)

// Kind is what sort of event it was.
type Kind string

// The kinds of events.
const (
	// SignIn is a sign-in, or an attempt.
	SignIn Kind = "sign-in"
	// Signature is a signature that a service ordered, or an attempt.
	Signature Kind = "signature"
	// Operator is a change of the gateway itself: its start and end, its keys, its trust
	// data.
	Operator Kind = "operator"
	// Account is a change of somebody's account, by himself or by an operator.
	Account Kind = "account"
)

func (k Kind) known() bool { return k == SignIn || k == Signature || k == Operator || k == Account }

// Event is what happened. Fields that do not apply are empty. Texts are UTF-8 of at most 512
// bytes without control characters.
type Event struct {
	// At is when; kept to the microsecond.
	At time.Time
	// Kind must be one of the four.
	Kind Kind
	// Action is how: the method of a sign-in or signing ("gost-tls", "challenge"), or what an
	// operator did ("started", "stopped", "trust-loaded").
	Action string
	// Conclusion is that of the verdict, and Reason its reason unless it passed.
	Conclusion string
	Reason     reason.Code
	// Subject is the pseudonym of the person.
	Subject string
	// Client is the client_id of the service.
	Client string
	// Address is where the person came from, as far as the configuration keeps it.
	Address person.Private
	// Device is what the browser calls itself.
	Device person.Private
	// Certificate is the SHA-256 of the certificate in DER; zero if there is none.
	Certificate [32]byte
	// Engine is what computed the signatures of the verdict.
	Engine string
	// Document is the name of what was signed, Digest its Streebog-256 in hexadecimal, and
	// Order the number of the order that it was signed for.
	Document person.Private
	Digest   string
	Order    string
	// Support is the number of the request, which is the support code on pages.
	Support string
	// Detail is what else there is to say of an operator's action. It holds nothing about
	// people.
	Detail string
}

// Record is an event in its place in the chain. The zero value is no record.
type Record struct {
	// Number counts from 1.
	Number uint64
	// Previous is the hash of the record before this one; of the first record, 32 random
	// bytes that name the journal.
	Previous [HashSize]byte
	Event
	// Hash is over all of the above; see [Record.Sum].
	Hash [HashSize]byte
}

// field is one text of a record, by its name in exports.
type field struct{ name, value string }

// timeForm is RFC 3339 in UTC with microseconds, always of the same length.
const timeForm = "2006-01-02T15:04:05.000000Z"

// fields returns all texts of a record but the hash, in the order of the hash and of
// exports.
func (r *Record) fields() []field {
	certificate := ""
	if r.Certificate != ([32]byte{}) {
		certificate = hex.EncodeToString(r.Certificate[:])
	}
	return []field{
		{"v", strconv.Itoa(Version)},
		{"n", strconv.FormatUint(r.Number, 10)},
		{"previous", hex.EncodeToString(r.Previous[:])},
		{"at", r.At.UTC().Format(timeForm)},
		{"kind", string(r.Kind)},
		{"action", r.Action},
		{"conclusion", r.Conclusion},
		{"reason", string(r.Reason)},
		{"subject", r.Subject},
		{"client", r.Client},
		{"address", r.Address.Reveal()},
		{"device", r.Device.Reveal()},
		{"certificate", certificate},
		{"engine", r.Engine},
		{"document", r.Document.Reveal()},
		{"digest", r.Digest},
		{"order", r.Order},
		{"support", r.Support},
		{"detail", r.Detail},
	}
}

// Sum computes the hash of a record: Streebog-256 over its fields in their order, each with
// its length in front as four bytes, big-endian.
func (r Record) Sum() [HashSize]byte {
	h := streebog.New256()
	for _, f := range r.fields() {
		var length [4]byte
		binary.BigEndian.PutUint32(length[:], uint32(len(f.value)))
		h.Write(length[:])
		h.Write([]byte(f.value))
	}
	return [HashSize]byte(h.Sum(nil))
}

// Line returns the record as one line of an export, without the line end: JSON, every value
// a string, in the order of the hash. It holds what other forms mask.
func (r Record) Line() []byte {
	var b strings.Builder
	b.WriteByte('{')
	for _, f := range append(r.fields(), field{"hash", hex.EncodeToString(r.Hash[:])}) {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		b.WriteString(f.name)
		b.WriteString(`":`)
		b.WriteString(quote(f.value))
	}
	b.WriteByte('}')
	return []byte(b.String())
}

// quote returns a string of JSON.
func quote(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("journal: " + err.Error()) // a string can always be written
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// ParseLine reads a line of an export, with or without its line end. Only what [Record.Line]
// writes is a line: one form for one record. It does not look whether the hash is right.
func ParseLine(line []byte) (Record, error) {
	line = []byte(strings.TrimSuffix(string(line), "\n"))
	if len(line) > maxLine {
		return Record{}, fmt.Errorf("journal: a line is longer than %d bytes", maxLine)
	}
	var values map[string]string
	if err := json.Unmarshal(line, &values); err != nil {
		return Record{}, errors.New("journal: not a line of JSON whose values are strings")
	}
	r, err := parseValues(values)
	if err != nil {
		return Record{}, err
	}
	if string(r.Line()) != string(line) {
		return Record{}, errors.New("journal: not the form of a line")
	}
	return r, nil
}

func parseValues(v map[string]string) (Record, error) {
	if v["v"] != strconv.Itoa(Version) {
		return Record{}, errors.New("journal: a record of another version")
	}
	r := Record{Event: Event{
		Kind: Kind(v["kind"]), Action: v["action"], Conclusion: v["conclusion"], Reason: reason.Code(v["reason"]),
		Subject: v["subject"], Client: v["client"],
		Address: person.NewPrivate(v["address"]), Device: person.NewPrivate(v["device"]),
		Engine: v["engine"], Document: person.NewPrivate(v["document"]), Digest: v["digest"], Order: v["order"],
		Support: v["support"], Detail: v["detail"],
	}}
	var err error
	if r.Number, err = strconv.ParseUint(v["n"], 10, 63); err != nil || r.Number == 0 {
		return Record{}, errors.New("journal: n is not a number of a record")
	}
	if r.At, err = time.Parse(timeForm, v["at"]); err != nil {
		return Record{}, errors.New("journal: at is not a time")
	}
	for name, to := range map[string]*[32]byte{"previous": &r.Previous, "hash": &r.Hash, "certificate": &r.Certificate} {
		if name == "certificate" && v[name] == "" {
			continue
		}
		if err := parseHash(v[name], to); err != nil {
			return Record{}, fmt.Errorf("journal: %s: %w", name, err)
		}
	}
	if err := r.Check(); err != nil {
		return Record{}, err
	}
	return r, nil
}

// parseHash reads 64 hexadecimal digits.
func parseHash(s string, to *[HashSize]byte) error {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != HashSize {
		return errors.New("not 64 hexadecimal digits")
	}
	copy(to[:], raw)
	return nil
}

// ParseHead reads what [Head.String] writes.
func ParseHead(s string) (Head, error) {
	number, hash, _ := strings.Cut(s, ":")
	n, err := strconv.ParseUint(number, 10, 63)
	h := Head{Number: n}
	if err == nil {
		err = parseHash(hash, &h.Hash)
	}
	if err != nil || h.String() != s {
		return Head{}, errors.New("journal: a head is NUMBER:HASH, as a verification prints it")
	}
	return h, nil
}

// Check reports what keeps an event out of a journal; it wraps [ErrEvent].
func (e Event) Check() error {
	if !e.Kind.known() {
		return fmt.Errorf("%w: the kind is unknown", ErrEvent)
	}
	if y := e.At.UTC().Year(); y < 1970 || y > 9999 {
		return fmt.Errorf("%w: the time is out of range", ErrEvent)
	}
	for _, f := range (&Record{Event: e}).fields() {
		if len(f.value) > maxText || Clean(f.value) != f.value {
			return fmt.Errorf("%w: %s is not a text of at most %d bytes", ErrEvent, f.name, maxText)
		}
	}
	return nil
}

// Clean returns a text as an event may hold it: what is not UTF-8 or not printable is
// replaced, and what is longer than 512 bytes is cut off.
func Clean(s string) string {
	if len(s) > 4*maxText {
		s = s[:4*maxText]
	}
	s = strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return utf8.RuneError
	}, s)
	for len(s) > maxText {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}
