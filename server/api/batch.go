package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/server/request"
)

// BatchAnswer is the answer to a batch: all verdicts are by the same trust data and for
// the same moment.
type BatchAnswer struct {
	// Trust says which trust data these are.
	Trust report.Trust `json:"trust"`
	// Results has one element for each item, in the order of the request: its "id", and
	// either its "verdict" or its "problem".
	Results []json.RawMessage `json:"results"`
}

// itemID is what a client may call an item: it comes back in the answer, and needs no
// escapes there.
var itemID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// series is a batch on its way: items are judged one after another as they come, under
// the trust data that were in force at the beginning.
type series struct {
	api     *API
	r       *http.Request
	by      basis
	held    *account // what the answers take
	ids     seen
	results []json.RawMessage
}

// batch answers a batch: a form with parts named signature.ID and content.ID, a JSON
// array of objects, or one object a line.
func (a *API) batch(c *gin.Context) {
	s := &series{api: a, r: c.Request, by: a.basis(c.Request.Context()), held: a.memory.open(), ids: make(seen)}
	defer s.held.close()
	if _, err := formOf(c.Request); err != nil {
		Refuse(c.Writer, c.Request, err)
		return
	}
	media, boundary, err := mediaType(c.Request.Header, typeForm, typeJSON, typeNDJSON)
	if err == nil {
		err = s.read(media, boundary)
	}
	if err == nil && len(s.results) == 0 {
		err = reason.Errorf(reason.RequestFieldMissing, "the batch is empty")
	}
	if err != nil {
		Refuse(c.Writer, c.Request, bodyError(err))
		return
	}
	if media == typeNDJSON {
		s.writeLines(c.Writer)
		return
	}
	writeJSON(c.Writer, typeJSON, BatchAnswer{Trust: trustOf(s.by), Results: s.results})
}

func (s *series) read(media, boundary string) error {
	switch media {
	case typeForm:
		return s.readForm(boundary)
	case typeJSON:
		return tooLongForMemory(s.readArray())
	default:
		return s.readLines()
	}
}

// writeLines writes one result a line.
func (s *series) writeLines(w http.ResponseWriter) {
	w.Header().Set("Content-Type", typeNDJSON)
	out := bufio.NewWriter(w)
	for _, result := range s.results {
		out.Write(result)   //nolint:errcheck // Flush says it
		out.WriteByte('\n') //nolint:errcheck // Flush says it
	}
	if err := out.Flush(); err != nil {
		request.From(s.r.Context()).Err = err // the client went away
	}
}

// readArray reads a JSON array. An element that cannot be used is the problem of its
// item alone, unless it is no JSON: then nobody knows where the next one begins.
func (s *series) readArray() error {
	d := newDecoder(s.held.reader(http.MaxBytesReader(nil, s.r.Body, s.api.opts.MaxBody)))
	err := d.array(func() error {
		var element json.RawMessage
		if err := d.Decode(&element); err != nil {
			return jsonError(err)
		}
		return s.judgeJSON(element)
	})
	if err != nil {
		return err
	}
	return d.end()
}

// judgeJSON judges an item that is one JSON value.
func (s *series) judgeJSON(text []byte) error {
	var p parcel
	d := newDecoder(bytes.NewReader(text))
	id, err := d.item(&p, fieldID, fieldSignature, fieldContent, fieldDigests)
	if err == nil {
		err = d.end()
	}
	return s.judge(id, &p, bodyError(err))
}

// readLines reads one JSON object a line. A line that cannot be used is the problem of
// its item alone.
func (s *series) readLines() error {
	in := bufio.NewReaderSize(s.r.Body, 64<<10)
	for {
		more, err := s.line(in)
		if err != nil || !more {
			return err
		}
	}
}

// line reads and judges the next line. Empty ones are skipped.
func (s *series) line(in *bufio.Reader) (more bool, err error) {
	held := s.api.memory.open()
	defer held.close()
	line := &lineReader{from: in}
	text, whole, err := held.hold(line, s.api.opts.MaxBody, -1)
	if err != nil {
		return false, err
	}
	if !whole {
		if err := drain(line); err != nil {
			return false, err
		}
		err := s.judge("", nil, reason.Errorf(reason.RequestTooLarge, "the line is longer than the limit"))
		return !line.last, err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return !line.last, nil
	}
	return !line.last, s.judgeJSON(text)
}

// lineReader reads one line, without its end.
type lineReader struct {
	from *bufio.Reader
	over bool
	last bool // the input ended with this line
}

// Read implements io.Reader.
func (l *lineReader) Read(p []byte) (n int, err error) {
	for n < len(p) && !l.over {
		b, err := l.from.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			l.over, l.last = true, true
		case err != nil:
			return n, err
		case b == '\n':
			l.over = true
		default:
			p[n] = b
			n++
		}
	}
	if n == 0 && l.over {
		return 0, io.EOF
	}
	return n, nil
}

// pending is an item of a form that may still get its other part.
type pending struct {
	packer
	id   string
	done bool
	err  error
	slot int // among the results
}

// readForm reads a form. An item is judged as soon as both its parts are there, the
// others at the end.
func (s *series) readForm(boundary string) error {
	items := make(map[string]*pending)
	var order []*pending
	defer func() {
		for _, item := range order {
			item.account.close()
		}
	}()
	fields := make(seen)
	err := eachPart(s.r.Body, boundary, 2*s.api.opts.MaxBatch+2, func(name string, part io.Reader) error {
		kind, id, _ := strings.Cut(name, ".")
		if !itemID.MatchString(id) || kind != fieldSignature && kind != fieldContent {
			return reason.Errorf(reason.RequestFieldUnknown, "the parts of a batch are named signature.ID and content.ID")
		}
		if err := fields.first(name, name); err != nil {
			return err
		}
		item := items[id]
		if item == nil {
			if err := s.room(); err != nil {
				return err
			}
			item = &pending{id: id, slot: len(s.results), packer: packer{account: s.api.memory.open(), maxHeld: s.api.opts.MaxBody}}
			items[id], order = item, append(order, item)
			s.results = append(s.results, nil)
		}
		return s.addPart(item, kind, part)
	})
	if err != nil {
		return err
	}
	for _, item := range order {
		if err := s.finish(item); err != nil {
			return err
		}
	}
	return nil
}

// addPart reads a part of an item. What is wrong with the files is the problem of the
// item alone; a body that breaks is that of all.
func (s *series) addPart(item *pending, kind string, part io.Reader) error {
	read := item.document
	if kind == fieldSignature {
		read = func(r io.Reader) error { return item.signature(r, -1) }
	}
	if err := read(part); err != nil {
		var coded *reason.Error
		if !errors.As(err, &coded) || coded.Code == reason.ServerBusy {
			return err
		}
		item.err = errors.Join(item.err, err)
		return drain(part)
	}
	if item.file != nil && item.given {
		return s.finish(item)
	}
	return nil
}

// finish judges an item of a form, once.
func (s *series) finish(item *pending) error {
	if item.done {
		return nil
	}
	item.done = true
	result, err := s.answer(item.id, &item.parcel, item.err)
	item.parcel = parcel{}
	item.account.close()
	s.results[item.slot] = result
	return err
}

// room says whether there may be one more item.
func (s *series) room() error {
	if len(s.results) >= s.api.opts.MaxBatch {
		return reason.Errorf(reason.BatchTooLong, "a batch may have %d items", s.api.opts.MaxBatch)
	}
	return nil
}

// judge adds the result of the next item: its verdict, or the problem with it.
func (s *series) judge(id string, p *parcel, problem error) error {
	if err := s.room(); err != nil {
		return err
	}
	number := strconv.Itoa(len(s.results) + 1)
	switch {
	case id == "":
		id = number
	case !itemID.MatchString(id):
		id, problem = number, reason.Errorf(reason.RequestFieldBad, "an id is 1 to 64 letters, digits, dots, hyphens and underscores")
	case s.ids[id]:
		problem = reason.Errorf(reason.RequestFieldRepeated, "another item has this id")
	}
	s.ids[id] = true
	result, err := s.answer(id, p, problem)
	s.results = append(s.results, result)
	return err
}

// answer judges one item, unless there is a problem with it, and encodes the result.
// The error is about the batch as a whole.
func (s *series) answer(id string, p *parcel, problem error) (json.RawMessage, error) {
	var verdict any
	if problem == nil {
		verdict, problem = s.verdict(p)
	}
	text := append(make([]byte, 0, usualDocument), `{"id":"`+id...)
	if problem != nil {
		text = encode(append(text, `","problem":`...), refusal(make(http.Header), s.r, problem))
	} else {
		text = encode(append(text, `","verdict":`...), verdict)
	}
	text = append(text, '}')
	return text, s.held.take(int64(len(text)))
}

// verdict judges one item.
func (s *series) verdict(p *parcel) (any, error) {
	do, err := signatures(p)
	if err != nil {
		return nil, err
	}
	leave, err := s.api.work.enter(s.r.Context())
	if err != nil {
		return nil, err
	}
	defer leave()
	j := do(s.by)
	s.api.note(s.r.Context(), j)
	return j.document, nil
}
