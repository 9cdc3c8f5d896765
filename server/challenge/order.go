package challenge

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/gost/streebog"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/pki/validate"
	"propusk/server/journal"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/request"
	"propusk/server/signrequest"
)

// subjectOrder is the subject of what has to do with orders.
const subjectOrder = "order"

// Lives of orders.
const (
	minOrderLife     = time.Minute
	defaultOrderLife = 15 * time.Minute
	maxOrderLife     = 24 * time.Hour
	// keepOrder is how long the result of an order stays after the time for signing.
	keepOrder = time.Hour
)

// Order is what a service wants signed. It never changes, but for its Result.
type Order struct {
	// ID is unguessable; whoever knows it may see the order and sign it.
	ID string
	// Client is the service.
	Client string
	// RedirectURI is where the person is sent when he has signed, with State.
	RedirectURI, State string
	// Text is what is to be signed, or else Document.
	Text     string
	Document *signrequest.Document
	// Kinds are the kinds of holders that may sign.
	Kinds []person.Kind
	// Subject and INN say who must sign; empty is anybody.
	Subject string
	INN     person.INN
	// Created and Expires are when it began and until when it may be signed.
	Created, Expires time.Time
	// Result is nil until it is signed.
	Result *Result
}

// Result is a signature for an order, which passed.
type Result struct {
	// Signature is CMS in DER, without the document.
	Signature []byte
	// Value is the SHA-256 of the value of the signature itself. Two files of one signature,
	// around which much can be changed, have the same.
	Value [sha256.Size]byte
	// Verdict is the verdict document.
	Verdict *report.Document
	// At is when it was judged.
	At time.Time
}

// OrderStore keeps orders. It must be safe for concurrent use.
type OrderStore interface {
	// Add keeps an order; the reason of its error is [reason.ServerBusy] when there is no
	// room, or none for this service: one must not take the room of the others.
	Add(o Order) error
	// Get returns an order, until an hour after its time is over.
	Get(id string) (Order, bool)
	// Finish gives an order its result, which it may have once: else the reason is
	// [reason.SigningOrderDone], or [reason.SigningOrderUnknown]. It is
	// [reason.ChallengeUsed] if another order that is kept has a result with the same Value:
	// a service must not pass on to another what a person signed for it.
	Finish(id string, r Result) error
	// Document reports whether an order that is kept is for a document with one of the
	// digests: Streebog with 256 and with 512 bits.
	Document(streebog256 [32]byte, streebog512 [64]byte) bool
	// Len returns how many orders are kept.
	Len() int
}

// memory is an OrderStore that lives as long as the program.
type memory struct {
	limit int
	share int // of the limit, for each service
	now   func() time.Time

	mu     sync.Mutex
	orders map[string]Order
}

func newMemory(limit, services int, now func() time.Time) *memory {
	return &memory{limit: limit, share: limit / max(services, 1), now: now, orders: make(map[string]Order)}
}

// gone reports whether an order is not kept any more.
func (m *memory) gone(o Order) bool { return !m.now().Before(o.Expires.Add(keepOrder)) }

// Add implements OrderStore.
func (m *memory) Add(o Order) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	own := 0
	for id, old := range m.orders {
		switch {
		case m.gone(old):
			delete(m.orders, id)
		case old.Client == o.Client:
			own++
		}
	}
	// Beyond its share a service gets in while it has less than is left free.
	free := m.limit - len(m.orders)
	if free <= 0 || own >= max(m.share, free) {
		return reason.Errorf(reason.ServerBusy, "too many orders are kept, %d of them of this service", own)
	}
	m.orders[o.ID] = o
	return nil
}

// Get implements OrderStore.
func (m *memory) Get(id string) (Order, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.orders[id]
	if ok && m.gone(o) {
		delete(m.orders, id)
		return Order{}, false
	}
	return o, ok
}

// Finish implements OrderStore.
func (m *memory) Finish(id string, r Result) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.orders[id]
	switch {
	case !ok:
		return reason.New(reason.SigningOrderUnknown, nil)
	case o.Result != nil:
		return reason.New(reason.SigningOrderDone, nil)
	}
	for _, other := range m.orders {
		if other.Result != nil && other.Result.Value == r.Value {
			return reason.Errorf(reason.ChallengeUsed, "the signature was made for another order")
		}
	}
	o.Result = &r
	m.orders[id] = o
	return nil
}

// Document implements OrderStore.
func (m *memory) Document(streebog256 [32]byte, streebog512 [64]byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range m.orders {
		if d := o.Document; d != nil && (bytes.Equal(d.Streebog256, streebog256[:]) || bytes.Equal(d.Streebog512, streebog512[:])) {
			return true
		}
	}
	return false
}

// Len implements OrderStore.
func (m *memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.orders)
}

// waiting returns an order that can still be signed.
func (c *Challenge) waiting(id string) (Order, error) {
	o, ok := c.orders.Get(id)
	switch {
	case !ok:
		return Order{}, reason.New(reason.SigningOrderUnknown, nil)
	case o.Result != nil:
		return Order{}, reason.New(reason.SigningOrderDone, nil)
	case !c.opts.Now().Before(o.Expires):
		return Order{}, reason.New(reason.SigningOrderExpired, nil)
	}
	return o, nil
}

// showOrder shows a person what a service wants signed, and asks by what.
func (c *Challenge) showOrder(x *gin.Context) {
	o, err := c.waiting(x.Param("id"))
	if err != nil {
		c.refuse(x, subjectOrder, err)
		return
	}
	request.From(x.Request.Context()).Client = o.Client
	j := &orderJob{c, o}
	var r signrequest.Request
	j.fill(&r)
	what := description(r)
	page.Written(x.Writer, x.Request, c.opts.Pages.Choice(x.Writer, x.Request, page.Choice{
		Service: r.Service, Methods: c.opts.Methods, Agent: j.again() + "/agent", Plugin: j.again() + "/plugin", Sign: &what,
	}))
}

// beginOrder makes a state for an order.
func (c *Challenge) beginOrder(x *gin.Context, method page.Method) {
	_, err := postForm(x.Request)
	if err == nil {
		err = ownPage(x.Request, c.opts.Issuer)
	}
	if err != nil {
		c.refuse(x, subjectOrder, err)
		return
	}
	o, err := c.waiting(x.Param("id"))
	if err != nil {
		c.refuse(x, subjectOrder, err)
		return
	}
	request.From(x.Request.Context()).Client = o.Client
	c.start(x, method, &orderJob{c, o}, oidc.BindBrowser(x.Writer, x.Request, 2*Life))
}

// orderJob is the signing of an order.
type orderJob struct {
	c     *Challenge
	order Order
}

func (*orderJob) subject() string  { return subjectOrder }
func (j *orderJob) client() string { return j.order.Client }
func (j *orderJob) again() string  { return pathOrder + j.order.ID }

func (j *orderJob) event() journal.Event {
	e := journal.Event{Kind: journal.Signature, Action: "challenge"}
	if d := j.order.Document; d != nil {
		e.Document, e.Digest = person.NewPrivate(d.Name), hex.EncodeToString(d.Streebog256)
		return e
	}
	digest := streebog.Sum256([]byte(j.order.Text))
	e.Digest = hex.EncodeToString(digest[:])
	return e
}

func (j *orderJob) fill(r *signrequest.Request) {
	r.Purpose, r.Service, r.Kinds = signrequest.SignText, j.c.opts.Services[j.order.Client], j.order.Kinds
	if r.Text, r.Document = j.order.Text, j.order.Document; r.Document != nil {
		r.Purpose = signrequest.SignDocument
	}
}

// complete keeps the signature for the service, if it is good and of the right person.
func (j *orderJob) complete(x *gin.Context, st *state, file []byte) {
	c, o := j.c, j.order
	judged := c.verify(x.Request.Context(), file, st, o.Kinds, validate.QES())
	now := c.opts.Now()
	if judged.code == "" {
		err := signedJustNow(judged, st.began, now)
		if err == nil {
			err = j.rightPerson(judged.outcome.Who)
		}
		if err == nil {
			_, err = c.waiting(o.ID)
		}
		if err == nil { // before the service has it; whoever knows the number can sign no more
			e := judged.event(j)
			e.Order = o.ID
			err = c.opts.Journal.Passed(x.Request, e, judged.outcome.Who)
		}
		if err == nil {
			err = c.orders.Finish(o.ID, Result{
				Signature: file, Value: sha256.Sum256(judged.report.Signatures[0].Signer.Signature), Verdict: report.Signatures(judged.report, judged.outcome.Trust, now), At: now,
			})
		}
		if err != nil {
			judged.code, judged.err = reason.Of(err), err
		}
	}
	if judged.code != "" {
		c.refuseJudged(x, j, judged)
		return
	}
	c.passed(x, j)
	page.Written(x.Writer, x.Request, c.opts.Pages.Continue(x.Writer, x.Request, j.back("")))
}

// rightPerson refuses everybody but the person that the service wants.
func (j *orderJob) rightPerson(who person.Identity) error {
	if j.order.INN != (person.INN{}) && who.INN != j.order.INN {
		return reason.Errorf(reason.SigningOrderPerson, "the ИНН is another one")
	}
	if j.order.Subject == "" {
		return nil
	}
	sub, err := j.c.opts.Provider.Subject(j.order.Client, who)
	if err != nil {
		return err
	}
	if sub != j.order.Subject {
		return reason.Errorf(reason.SigningOrderPerson, "the subject is another one")
	}
	return nil
}

// back is where the person goes from here: to the address that the service has registered.
func (j *orderJob) back(failure string) string {
	u, err := url.Parse(j.order.RedirectURI)
	if err != nil { // the configuration was checked
		return j.c.opts.Issuer + "/"
	}
	q := u.Query()
	q.Set("signature_id", j.order.ID)
	q.Set("state", j.order.State)
	if failure != "" {
		q.Set("error", failure)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// leave is the way back without a signature.
func (j *orderJob) leave() []page.Link {
	return []page.Link{{Label: page.Text{RU: "Вернуться в сервис без подписи", EN: "Back to the service without signing"}, URL: j.back("access_denied")}}
}
