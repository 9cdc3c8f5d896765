package journal

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/server/request"
)

// How much of an address is kept.
const (
	AddressFull    = "full"
	AddressNetwork = "network" // 24 bits of IPv4, 48 of IPv6
	AddressNone    = "none"
)

// Waits of a Recorder.
const (
	// appendWait is how long a request waits for its record, longer than for the queue.
	appendWait = 10 * time.Second
	// noteEvery is how often the head is written to the log, from where it can be taken to
	// where the machine of the journal does not reach.
	noteEvery = time.Hour
)

// Options is what a Recorder needs.
type Options struct {
	// Path is the file of the journal.
	Path string
	// Required makes Passed fail when nothing can be written.
	Required bool
	// Addresses is how much of addresses is kept: AddressFull, AddressNetwork or AddressNone.
	Addresses string
	// Subject returns the pseudonym of a person.
	Subject func(person.Identity) (string, error)
	// Now returns the time.
	Now func() time.Time
	// Log receives failures and heads.
	Log *slog.Logger
	// Observe is called with every event and the error of writing it.
	Observe func(kind Kind, err error)
}

// Recorder writes down what handlers do. It is safe for concurrent use; a nil Recorder writes
// nothing and succeeds. Make it with NewRecorder, and call Open before the first request.
type Recorder struct {
	opts  Options
	file  atomic.Pointer[File]
	noted atomic.Int64 // when the head was noted, Unix seconds
}

// NewRecorder returns a Recorder, and nil without a path.
func NewRecorder(o Options) *Recorder {
	if o.Path == "" {
		return nil
	}
	return &Recorder{opts: o}
}

// Open opens the file; the error is that of [Open].
func (r *Recorder) Open() error {
	if r == nil {
		return nil
	}
	f, err := Open(r.opts.Path)
	if err == nil {
		r.file.Store(f)
	}
	return err
}

// Run notes the head in the log every hour, and now, until ctx ends, and then closes the
// file: nothing may be recorded after that.
func (r *Recorder) Run(ctx context.Context) error {
	if r == nil {
		return nil
	}
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for {
		r.note()
		select {
		case <-ctx.Done():
			r.note() // the head that the next start has to find
			return r.file.Load().Close()
		case <-tick.C:
		}
	}
}

// note writes the head to the log.
func (r *Recorder) note() {
	ctx, cancel := context.WithTimeout(context.Background(), appendWait)
	defer cancel()
	head, err := r.file.Load().Head(ctx)
	if err != nil {
		r.opts.Log.LogAttrs(ctx, slog.LevelError, "the journal cannot be read", slog.String("err", err.Error()))
		return
	}
	r.noted.Store(r.opts.Now().Unix())
	r.opts.Log.LogAttrs(ctx, slog.LevelInfo, "journal head", slog.String("head", head.String()))
}

// Noted returns when the head was last noted in the log, and how many records there are; 0
// if that cannot be found out.
func (r *Recorder) Noted() (at time.Time, records uint64) {
	f := r.file.Load()
	if f == nil {
		return time.Time{}, 0
	}
	head, err := f.Head(context.Background())
	if err != nil {
		return time.Time{}, 0
	}
	return time.Unix(r.noted.Load(), 0), head.Number
}

// Passed records that a person is about to get what he came for. The event needs Kind and
// Action; what the request knows is filled in. If the journal is required the error, whose
// reason is [reason.JournalLost], means that he must not get it.
func (r *Recorder) Passed(req *http.Request, e Event, who person.Identity) error {
	if r == nil {
		return nil
	}
	e.Conclusion = report.TotalPassed
	if err := r.record(req, e, who); err != nil && r.opts.Required {
		return reason.New(reason.JournalLost, err)
	}
	return nil
}

// Refused records an attempt that was refused for the reason in the event of the request. It
// is for people who have proven a key that a CA vouches for: whoever makes up certificates
// must neither fill the disk nor write into the history of others.
func (r *Recorder) Refused(req *http.Request, e Event, who person.Identity) {
	if r == nil {
		return
	}
	of := request.From(req.Context())
	if of.Code == reason.JournalLost {
		return // it would be lost as well, and has been logged
	}
	e.Conclusion, e.Reason = of.Conclusion, of.Code
	_ = r.record(req, e, who) // it was logged, and there is nothing to be refused any more
}

func (r *Recorder) record(req *http.Request, e Event, who person.Identity) error {
	of := request.From(req.Context())
	e.Client, e.Engine, e.Support = of.Client, of.Engine, of.ID
	e.Address, e.Device = Place(req.RemoteAddr, r.opts.Addresses), person.NewPrivate(Clean(req.UserAgent()))
	e.Document = person.NewPrivate(Clean(e.Document.Reveal()))
	if subject, err := r.opts.Subject(who); err == nil { // a certificate without ИНН and СНИЛС is nobody's
		e.Subject = subject
	}
	return r.append(req.Context(), e)
}

// Of returns the records about a person who has several identities, such as that of an
// entrepreneur and his own, the newest first: those whose number is less than before, at most
// limit of them; before 0 begins with the newest. The error is that of [Journal.Of]; without
// a journal it is [ErrClosed].
func (r *Recorder) Of(ctx context.Context, who []person.Identity, before uint64, limit int) ([]Record, error) {
	if r == nil || r.file.Load() == nil {
		return nil, ErrClosed
	}
	var all []Record
	var subjects []string
	for _, one := range who {
		subject, err := r.opts.Subject(one)
		if err != nil || slices.Contains(subjects, subject) { // without ИНН and СНИЛС nothing was written
			continue
		}
		subjects = append(subjects, subject)
		records, err := r.file.Load().Of(ctx, subject, before, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
	}
	slices.SortFunc(all, func(a, b Record) int { return cmp.Compare(b.Number, a.Number) })
	return all[:min(len(all), limit)], nil
}

// Late records events that were noted when they happened, in their order, and returns when all
// are durable. All is as it was noted, but for the pseudonyms of the persons. Those that are
// among the records from their From on are not written twice. The error is that of
// [File.Append]; some of the events may be written then.
func (r *Recorder) Late(ctx context.Context, notes []Noted) error {
	f := r.file.Load()
	if f == nil {
		return ErrClosed
	}
	notes = slices.Clone(notes)
	for i := range notes {
		n := &notes[i]
		n.Event.At = n.Event.At.UTC().Truncate(time.Microsecond)
		if subject, err := r.opts.Subject(n.Who); err == nil {
			n.Event.Subject = subject
		}
	}
	notes, err := missing(ctx, f, notes)
	if err != nil {
		return err
	}
	events := make([]Event, len(notes))
	for i, n := range notes {
		events[i] = n.Event
	}
	err = f.AppendAll(ctx, events)
	for _, e := range events {
		r.opts.Observe(e.Kind, err)
	}
	return err
}

// Noted is an event that was noted when it happened, and about whom.
type Noted struct {
	Event Event
	Who   person.Identity
	// From is where in the journal the event may be already; 0 is nowhere.
	From uint64
}

// missing returns the notes that are not among the records from their From on. One record is
// one note: events that are alike are written as often as they were noted.
func missing(ctx context.Context, f *File, notes []Noted) ([]Noted, error) {
	from := uint64(0)
	for _, n := range notes {
		if n.From != 0 && (from == 0 || n.From < from) {
			from = n.From
		}
	}
	for from != 0 {
		records, err := f.Read(ctx, from, maxPage)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			if i := slices.IndexFunc(notes, func(n Noted) bool { return n.From != 0 && n.From <= r.Number && n.Event == r.Event }); i >= 0 {
				notes = slices.Delete(notes, i, i+1)
			}
		}
		if len(records) < maxPage {
			break
		}
		from = records[len(records)-1].Number + 1
	}
	return notes, nil
}

// Head returns the last record's place. The error is that of [File.Head]; without a journal it
// is [ErrClosed].
func (r *Recorder) Head(ctx context.Context) (Head, error) {
	if r == nil || r.file.Load() == nil {
		return Head{}, ErrClosed
	}
	return r.file.Load().Head(ctx)
}

// Act records an action of an operator, or that the gateway was started or stopped. It fails
// never: what cannot be written is logged.
func (r *Recorder) Act(ctx context.Context, action, detail string) {
	if r != nil {
		_ = r.append(ctx, Event{Kind: Operator, Action: action, Detail: Clean(detail)}) // it was logged
	}
}

// append writes an event, even if who asked has left meanwhile.
func (r *Recorder) append(ctx context.Context, e Event) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendWait)
	defer cancel()
	e.At = r.opts.Now()
	err := ErrClosed
	if f := r.file.Load(); f != nil {
		_, err = f.Append(ctx, e)
	}
	r.opts.Observe(e.Kind, err)
	if err != nil {
		r.opts.Log.LogAttrs(ctx, slog.LevelError, "an event is not in the journal", slog.String("kind", string(e.Kind)),
			slog.String("action", e.Action), slog.String("conclusion", e.Conclusion), slog.String("request", e.Support), slog.String("err", err.Error()))
	}
	return err
}

// Place returns what is kept of an address "host:port": AddressFull, AddressNetwork or
// AddressNone say how much.
func Place(remote, kept string) person.Private {
	at, err := netip.ParseAddrPort(remote)
	if err != nil || kept == AddressNone {
		return person.Private{}
	}
	ip := at.Addr().Unmap().WithZone("")
	if kept == AddressFull {
		return person.NewPrivate(ip.String())
	}
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	network, err := ip.Prefix(bits)
	if err != nil {
		return person.Private{}
	}
	return person.NewPrivate(network.String())
}
