package challenge

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/gost/streebog"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/server/problem"
	"propusk/server/request"
	"propusk/server/session"
	"propusk/server/signrequest"
)

// MaxOrder bounds the body of an order, in bytes. Longer documents are ordered by their
// digests.
const MaxOrder = 8 << 20

// maxState bounds the state of an order, in bytes.
const maxState = 512

// pathOrders is where services order signatures.
const pathOrders = "/api/v1/signatures"

// api adds the routes for services.
func (c *Challenge) api(r gin.IRouter) {
	r.POST(pathOrders, request.LimitBody(MaxOrder), c.order)
	request.Get(r, pathOrders+"/:id", c.result)
}

// OrderRequest is the body of an order.
type OrderRequest struct {
	RedirectURI string `json:"redirect_uri"`
	State       string `json:"state"`
	// Text or Document is to be signed.
	Text     string         `json:"text,omitempty"`
	Document *OrderDocument `json:"document,omitempty"`
	// Kinds of holders that may sign; those that may sign in if absent.
	Kinds []person.Kind `json:"kinds,omitempty"`
	// Person who must sign; anybody if absent.
	Person *OrderPerson `json:"person,omitempty"`
	// ExpiresIn is in seconds.
	ExpiresIn int64 `json:"expires_in,omitempty"`
}

// OrderDocument is a document, or its digests in hexadecimal with its size.
type OrderDocument struct {
	Name        string `json:"name"`
	MediaType   string `json:"media_type"`
	Content     []byte `json:"content,omitempty"`
	Size        *int64 `json:"size,omitempty"`
	Streebog256 string `json:"streebog256,omitempty"`
	Streebog512 string `json:"streebog512,omitempty"`
}

// OrderPerson says who must sign.
type OrderPerson struct {
	Subject string `json:"sub,omitempty"`
	INN     string `json:"inn,omitempty"`
}

// OrderAnswer is the answer to an order.
type OrderAnswer struct {
	ID        string    `json:"id"`
	URL       string    `json:"url"`
	ExpiresAt time.Time `json:"expires_at"`
}

// OrderResult is what became of an order.
type OrderResult struct {
	ID string `json:"id"`
	// Status is "waiting", "signed" or "expired".
	Status    string    `json:"status"`
	ExpiresAt time.Time `json:"expires_at"`
	// Signature is CMS in DER, in base64, without the document; only if signed.
	Signature []byte           `json:"signature,omitempty"`
	SignedAt  *time.Time       `json:"signed_at,omitempty"`
	Verdict   *report.Document `json:"verdict,omitempty"`
}

// order takes an order.
func (c *Challenge) order(x *gin.Context) {
	id, ok := c.service(x)
	if !ok {
		return
	}
	in, err := readOrder(x.Request)
	var o Order
	if err == nil {
		o, err = c.newOrder(id, in)
	}
	if err == nil {
		err = c.orders.Add(o)
	}
	if err != nil {
		refuseService(x, err)
		return
	}
	x.JSON(http.StatusCreated, OrderAnswer{ID: o.ID, URL: c.opts.Issuer + pathOrder + o.ID, ExpiresAt: o.Expires})
}

// result tells the service what became of its order.
func (c *Challenge) result(x *gin.Context) {
	id, ok := c.service(x)
	if !ok {
		return
	}
	o, found := c.orders.Get(x.Param("id"))
	if !found || o.Client != id {
		refuseService(x, reason.New(reason.SigningOrderUnknown, nil))
		return
	}
	out := OrderResult{ID: o.ID, Status: "waiting", ExpiresAt: o.Expires}
	switch {
	case o.Result != nil:
		out.Status, out.Signature, out.SignedAt, out.Verdict = "signed", o.Result.Signature, &o.Result.At, o.Result.Verdict
	case !c.opts.Now().Before(o.Expires):
		out.Status = "expired"
	}
	x.JSON(http.StatusOK, out)
}

// service finds out which service asks, or refuses.
func (c *Challenge) service(x *gin.Context) (id string, ok bool) {
	id, ok = c.opts.Provider.Authenticate(x.Request)
	if !ok {
		x.Header("WWW-Authenticate", `Basic realm="propusk", charset="UTF-8"`)
		refuseService(x, reason.New(reason.SigningClientUnauthorized, nil))
		return "", false
	}
	request.From(x.Request.Context()).Client = id
	return id, true
}

// refuseService answers a service with a problem document.
func refuseService(x *gin.Context, err error) {
	e := request.From(x.Request.Context())
	e.Code, e.Err = reason.Of(err), err
	detail := ""
	if coded, ok := errors.AsType[*reason.Error](err); ok && coded.Err != nil {
		detail = coded.Err.Error()
	}
	problem.Write(x.Writer, problem.New(e.Code, detail, e.ID))
}

// newOrder checks what a service wants.
func (c *Challenge) newOrder(client string, in OrderRequest) (Order, error) {
	now := c.opts.Now().UTC().Truncate(time.Second)
	o := Order{
		ID: session.NewKey(), Client: client, RedirectURI: in.RedirectURI, State: in.State,
		Kinds: in.Kinds, Created: now, Expires: now.Add(defaultOrderLife),
	}
	if !c.opts.Provider.RedirectRegistered(client, in.RedirectURI) {
		return Order{}, reason.Errorf(reason.RedirectMismatch, "redirect_uri is not registered for the service")
	}
	if in.State == "" || len(in.State) > maxState {
		return Order{}, bad("state must be 1 to %d bytes", maxState)
	}
	if in.Kinds == nil {
		o.Kinds = c.opts.Kinds
	} else if len(in.Kinds) == 0 { // it would let nobody sign, or anybody
		return Order{}, bad("kinds must not be empty")
	}
	for i, k := range o.Kinds {
		if slices.Contains(o.Kinds[:i], k) {
			return Order{}, bad("a kind is there twice")
		}
		if !slices.Contains([]person.Kind{person.Entrepreneur, person.LegalEntity, person.Person}, k) {
			return Order{}, bad("kinds must be of ip, ul, fl")
		}
	}
	if in.ExpiresIn != 0 {
		if in.ExpiresIn < int64(minOrderLife/time.Second) || in.ExpiresIn > int64(maxOrderLife/time.Second) {
			return Order{}, bad("expires_in must be between %d and %d seconds", int64(minOrderLife/time.Second), int64(maxOrderLife/time.Second))
		}
		o.Expires = now.Add(time.Duration(in.ExpiresIn) * time.Second)
	}
	if err := o.mustSign(in.Person); err != nil {
		return Order{}, err
	}
	return o, o.whatToSign(in)
}

// mustSign notes who must sign.
func (o *Order) mustSign(p *OrderPerson) error {
	if p == nil {
		return nil
	}
	if p.Subject == "" && p.INN == "" || len(p.Subject) > maxState {
		return bad("person must have sub or inn")
	}
	o.Subject = p.Subject
	if p.INN == "" {
		return nil
	}
	var err error
	if o.INN, err = person.ParseINN(p.INN); err != nil {
		return bad("person.inn is not the ИНН of a person")
	}
	return nil
}

// whatToSign notes the text or the document.
func (o *Order) whatToSign(in OrderRequest) error {
	d := in.Document
	if (d == nil) == (in.Text == "") {
		return reason.Errorf(reason.RequestFieldMissing, "one of the fields text and document is wanted")
	}
	if d == nil {
		if err := signrequest.CheckText(in.Text); err != nil {
			return bad("text: %w", err)
		}
		o.Text = in.Text
		return nil
	}
	out := signrequest.Document{Name: d.Name, MediaType: d.MediaType}
	var err error
	switch byDigest := d.Size != nil || d.Streebog256 != "" || d.Streebog512 != ""; {
	case byDigest == (d.Content != nil):
		return reason.Errorf(reason.RequestFieldMissing, "a document needs its content, or else its size, streebog256 and streebog512")
	case byDigest:
		if d.Size == nil {
			return reason.Errorf(reason.RequestFieldMissing, "document.size is absent")
		}
		out.Size = *d.Size
		var err256, err512 error
		out.Streebog256, err256 = hex.DecodeString(d.Streebog256)
		out.Streebog512, err512 = hex.DecodeString(d.Streebog512)
		err = errors.Join(err256, err512)
	default:
		if signrequest.LooksLikeSignIn(d.Content) {
			return bad("document: it is the text of a sign-in")
		}
		d256, d512 := streebog.Sum256(d.Content), streebog.Sum512(d.Content)
		out.Size, out.Streebog256, out.Streebog512 = int64(len(d.Content)), d256[:], d512[:]
	}
	if err != nil {
		return bad("a digest of the document is not hexadecimal")
	}
	if err := out.Check(); err != nil {
		return bad("document: %w", err)
	}
	o.Document = &out
	return nil
}

// bad is the error of a field. The text must not repeat what was sent.
func bad(format string, args ...any) error {
	return reason.Errorf(reason.RequestFieldBad, format, args...)
}

// readOrder reads the body of an order.
func readOrder(r *http.Request) (OrderRequest, error) {
	var in OrderRequest
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" || r.Header.Get("Content-Encoding") != "" {
		return in, reason.Errorf(reason.MediaTypeUnsupported, "send application/json")
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		if errors.As(err, new(*http.MaxBytesError)) {
			return in, reason.Errorf(reason.RequestTooLarge, "an order has at most %d bytes; send the digests of a longer document", MaxOrder)
		}
		return in, reason.New(reason.RequestIncomplete, nil)
	}
	if err := once(json.NewDecoder(bytes.NewReader(raw)), 0); err != nil {
		return in, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return in, decodeError(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return in, reason.Errorf(reason.RequestMalformed, "there is more after the order")
	}
	return in, nil
}

// decodeError names what package json says, without what was sent.
func decodeError(err error) error {
	if field, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return bad("the field %s is of another type", field.Field)
	}
	if errors.As(err, new(base64.CorruptInputError)) {
		return reason.Errorf(reason.RequestBase64, "document.content is not whole base64")
	}
	if strings.Contains(err.Error(), "unknown field") { // package json has no type for it
		return reason.Errorf(reason.RequestFieldUnknown, "the order has a field that is not in the description")
	}
	return reason.Errorf(reason.RequestMalformed, "the body is not JSON")
}

// maxDepth is how deep an order may nest.
const maxDepth = 4

// plainName reports whether the name of a member has no letters but those of descriptions.
// Package json takes more of them for the same: capitals, and the long s of old print.
func plainName(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

// once refuses members that occur twice, or in other letters than the description has, of
// which package json would take the last, and null.
func once(d *json.Decoder, depth int) error {
	malformed := reason.Errorf(reason.RequestMalformed, "the body is not JSON")
	t, err := d.Token()
	if err != nil || depth > maxDepth {
		return malformed
	}
	open, ok := t.(json.Delim)
	if !ok {
		if t == nil { // package json would take it for a field that is absent: nobody in particular must sign
			return bad("a field is null")
		}
		return nil
	}
	seen := make(map[string]bool)
	for d.More() {
		if open == '{' {
			t, err := d.Token()
			name, isName := t.(string)
			if err != nil || !isName {
				return malformed
			}
			if seen[name] {
				return reason.Errorf(reason.RequestFieldRepeated, "a field is there twice")
			}
			if !plainName(name) {
				return reason.Errorf(reason.RequestFieldUnknown, "the order has a field that is not in the description")
			}
			seen[name] = true
		}
		if err := once(d, depth+1); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return malformed
	}
	return nil
}
