package signrequest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
)

// Type is the media type of requests, as the header of the JWS names it. RFC 8725,
// Section 3.11: no other token that a gateway signs passes for a request.
const Type = "propusk-sign-request+jwt"

// coordinate is the length in bytes of a half of an ES256 signature and of a coordinate
// of a key. RFC 7518, Sections 3.4 and 6.2.1.2.
const coordinate = 32

// header is the protected header, with its members in the only order that is taken. There
// is no place for jku, jwk, x5c or crit.
type header struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
	Type      string `json:"typ"`
}

// claims is the payload, with its members in the only order that is taken.
type claims struct {
	Issuer   string          `json:"iss"`
	ID       string          `json:"jti"`
	Began    int64           `json:"began,omitempty"`
	IssuedAt int64           `json:"iat"`
	Expires  int64           `json:"exp"`
	ReturnTo string          `json:"return_to"`
	State    string          `json:"state"`
	Nonce    string          `json:"nonce"`
	Purpose  Purpose         `json:"purpose"`
	Service  string          `json:"service"`
	Text     string          `json:"text,omitempty"`
	Document *documentClaims `json:"document,omitempty"`
	Kinds    []person.Kind   `json:"kinds,omitempty"`
	Language string          `json:"lang,omitempty"`
}

type documentClaims struct {
	Name        string `json:"name"`
	MediaType   string `json:"media_type"`
	Size        int64  `json:"size"`
	Streebog256 []byte `json:"streebog256"`
	Streebog512 []byte `json:"streebog512"`
}

// Sign returns the request as a compact JWS. The key must be on P-256; it may live in a
// module. The error has reason [reason.SignRequestMalformed] when the request cannot be
// used, else it is about the key.
func Sign(r Request, key crypto.Signer) (string, error) {
	if err := r.Check(); err != nil {
		return "", err
	}
	pub, ok := key.Public().(*ecdsa.PublicKey)
	if !ok || pub.Curve != elliptic.P256() {
		return "", errors.New("signrequest: the key is not on P-256")
	}
	id, err := KeyID(pub)
	if err != nil {
		return "", err
	}
	head, err := encode(header{Algorithm: "ES256", KeyID: id, Type: Type})
	if err != nil {
		return "", fmt.Errorf("signrequest: %w", err)
	}
	payload, err := encode(claimsOf(r))
	if err != nil {
		return "", fmt.Errorf("signrequest: %w", err)
	}
	input := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(payload)
	digest := sha256.Sum256([]byte(input))
	signed, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("signrequest: sign: %w", err)
	}
	flat, err := flatten(signed)
	if err != nil {
		return "", err
	}
	token := input + "." + base64.RawURLEncoding.EncodeToString(flat)
	if len(token) > MaxToken {
		return "", reason.Errorf(reason.SignRequestMalformed, "the request is %d bytes long", len(token))
	}
	return token, nil
}

// Verify reads a compact JWS at the moment now and returns the request and the one of the
// enrolled gateways that made it. The reasons of its errors are
// [reason.SignRequestMalformed], [reason.SignRequestGatewayUnknown] (no enrolled gateway
// has the key), [reason.SignRequestSignature], [reason.SignRequestForeign] (the request
// speaks for another gateway than the one whose key signed it) and
// [reason.SignRequestExpired].
func Verify(jws string, enrolled []Gateway, now time.Time) (Request, *Gateway, error) {
	t, err := split(jws)
	if err != nil {
		return Request{}, nil, reason.New(reason.SignRequestMalformed, err)
	}
	gateways, key := find(enrolled, t.header.KeyID)
	if len(gateways) == 0 {
		return Request{}, nil, reason.Errorf(reason.SignRequestGatewayUnknown, "no enrolled gateway has the key of the request")
	}
	if !t.verify(key) {
		return Request{}, nil, reason.Errorf(reason.SignRequestSignature, "the signature does not fit the key of %s", gateways[0].URL)
	}
	var c claims
	if err := decode(t.payload, &c); err != nil {
		return Request{}, nil, reason.Errorf(reason.SignRequestMalformed, "payload: %w", err)
	}
	r := c.request()
	if err := r.Check(); err != nil {
		return Request{}, nil, err
	}
	// Check has compared the return address with the issuer.
	i := slices.IndexFunc(gateways, func(g *Gateway) bool { return g.URL == r.Issuer })
	if i < 0 {
		return Request{}, nil, reason.Errorf(reason.SignRequestForeign, "%s speaks for another gateway", gateways[0].URL)
	}
	if now.Before(r.IssuedAt.Add(-Skew)) || !now.Before(r.Expires.Add(Skew)) {
		return Request{}, nil, reason.Errorf(reason.SignRequestExpired, "the clock of this machine is outside of the two minutes of the request")
	}
	return r, gateways[i], nil
}

// token is a JWS taken apart.
type token struct {
	input     string // what is signed
	header    header
	payload   []byte
	signature []byte
}

// split takes a compact JWS apart. RFC 7515, Section 5.2.
func split(jws string) (token, error) {
	var t token
	if len(jws) > MaxToken {
		return t, errors.New("too long")
	}
	head, rest, ok1 := strings.Cut(jws, ".")
	body, tail, ok2 := strings.Cut(rest, ".")
	if !ok1 || !ok2 || strings.Contains(tail, ".") {
		return t, errors.New("not three parts")
	}
	raw, err := unbase64(head)
	if err != nil {
		return t, fmt.Errorf("header: %w", err)
	}
	if err := decode(raw, &t.header); err != nil {
		return t, fmt.Errorf("header: %w", err)
	}
	if t.header.Algorithm != "ES256" || t.header.Type != Type {
		return t, errors.New("the algorithm is not ES256, or the type is not that of a request")
	}
	if t.payload, err = unbase64(body); err != nil {
		return t, fmt.Errorf("payload: %w", err)
	}
	if t.signature, err = unbase64(tail); err != nil {
		return t, fmt.Errorf("signature: %w", err)
	}
	if len(t.signature) != 2*coordinate {
		return t, errors.New("the signature is not of 64 bytes")
	}
	t.input = jws[:len(head)+1+len(body)]
	return t, nil
}

// verify checks the signature of the token.
func (t token) verify(key *ecdsa.PublicKey) bool {
	digest := sha256.Sum256([]byte(t.input))
	r, s := new(big.Int).SetBytes(t.signature[:coordinate]), new(big.Int).SetBytes(t.signature[coordinate:])
	return ecdsa.Verify(key, digest[:], r, s)
}

// flatten turns the ASN.1 form of a signature into the two halves of ES256.
func flatten(signed []byte) ([]byte, error) {
	var halves struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(signed, &halves)
	if err != nil || len(rest) != 0 || halves.R.Sign() <= 0 || halves.S.Sign() <= 0 ||
		halves.R.BitLen() > 8*coordinate || halves.S.BitLen() > 8*coordinate {
		return nil, errors.New("signrequest: the key returned something else than an ECDSA signature")
	}
	out := make([]byte, 2*coordinate)
	halves.R.FillBytes(out[:coordinate])
	halves.S.FillBytes(out[coordinate:])
	return out, nil
}

// unbase64 decodes base64url without padding, without line ends, and with zero bits at
// the end.
func unbase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") { // package base64 skips them
		return nil, errors.New("a line end in base64url")
	}
	return base64.RawURLEncoding.Strict().DecodeString(s)
}

// encode returns v in the only form that decode takes.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// decode reads what encode wrote and nothing else: package json would let a member occur
// twice, in other letters, or beside unknown ones.
func decode(raw []byte, v any) error {
	if err := json.Unmarshal(raw, v); err != nil {
		return errors.New("not the JSON that is expected")
	}
	again, err := encode(v)
	if err != nil || !bytes.Equal(raw, again) {
		return errors.New("JSON in another form than the only one that is taken")
	}
	return nil
}

func claimsOf(r Request) claims {
	c := claims{
		Issuer: r.Issuer, ID: r.ID, IssuedAt: r.IssuedAt.Unix(), Expires: r.Expires.Unix(), ReturnTo: r.ReturnTo,
		State: r.State, Nonce: r.Nonce, Purpose: r.Purpose, Service: r.Service, Text: r.Text, Kinds: r.Kinds, Language: r.Language,
	}
	if !r.Began.IsZero() {
		c.Began = r.Began.Unix()
	}
	if d := r.Document; d != nil {
		c.Document = &documentClaims{d.Name, d.MediaType, d.Size, d.Streebog256, d.Streebog512}
	}
	return c
}

func (c claims) request() Request {
	r := Request{
		Issuer: c.Issuer, ID: c.ID, IssuedAt: time.Unix(c.IssuedAt, 0).UTC(), Expires: time.Unix(c.Expires, 0).UTC(), ReturnTo: c.ReturnTo,
		State: c.State, Nonce: c.Nonce, Purpose: c.Purpose, Service: c.Service, Text: c.Text, Kinds: c.Kinds, Language: c.Language,
	}
	if c.Began != 0 {
		r.Began = time.Unix(c.Began, 0).UTC()
	}
	if d := c.Document; d != nil {
		r.Document = &Document{d.Name, d.MediaType, d.Size, d.Streebog256, d.Streebog512}
	}
	return r
}
