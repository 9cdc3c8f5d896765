package signrequest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"propusk/pki/reason"
)

// WellKnown is the path, on the public host of a gateway, of the document that [Card]
// describes.
const WellKnown = "/.well-known/propusk-agent"

// Limits of a card.
const (
	// MaxCard is the longest card, in bytes.
	MaxCard = 32 << 10
	// MaxKeys is how many keys a gateway may have at a time: the one that signs, the next
	// one and those that signed before.
	MaxKeys  = 8
	maxPorts = 8
)

// Gateway is one that an agent trusts: it was enrolled, by a person or an administrator.
type Gateway struct {
	// URL is the origin of its public host.
	URL string
	// Name is what people call it: one line.
	Name string
	// Keys are its keys; any of them may have signed a request.
	Keys []Key
}

// Key is a key that a gateway signs requests with.
type Key struct {
	// ID is what [KeyID] returns for Public.
	ID string
	// Public is on P-256.
	Public *ecdsa.PublicKey
}

// NewKey returns a public key with its ID. The error says that it is not on P-256.
func NewKey(pub *ecdsa.PublicKey) (Key, error) {
	id, err := KeyID(pub)
	if err != nil {
		return Key{}, err
	}
	return Key{ID: id, Public: pub}, nil
}

// KeyID returns the thumbprint of a P-256 key in base64url, which is its ID. RFC 7638,
// Section 3.
func KeyID(pub *ecdsa.PublicKey) (string, error) {
	k, err := jwkOf(pub)
	if err != nil {
		return "", err
	}
	// The members in lexicographic order, as the RFC wants.
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":%q,"kty":%q,"x":%q,"y":%q}`, k.Curve, k.Type, k.X, k.Y))
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// Card is what a gateway publishes about itself at [WellKnown], so that agents can be
// enrolled. Whoever enrols compares the key IDs with what the gateway's owner gave out.
type Card struct {
	Gateway
	// AgentPorts are the ports on 127.0.0.1 that the gateway looks for agents at.
	AgentPorts []int
}

// cardJSON is a Card as it travels. Other members are ignored, so that there may be more
// one day: what matters in a request is checked in the request.
type cardJSON struct {
	Issuer     string `json:"issuer"`
	Name       string `json:"name"`
	Keys       []jwk  `json:"keys"`
	AgentPorts []int  `json:"agent_ports"`
}

// jwk is a public key on P-256. RFC 7517, Section 4; RFC 7518, Section 6.2.1.
type jwk struct {
	Type      string `json:"kty"`
	Curve     string `json:"crv"`
	X         string `json:"x"`
	Y         string `json:"y"`
	ID        string `json:"kid"`
	Algorithm string `json:"alg,omitempty"`
	Use       string `json:"use,omitempty"`
}

func jwkOf(pub *ecdsa.PublicKey) (jwk, error) {
	if pub == nil || pub.Curve != elliptic.P256() {
		return jwk{}, errors.New("signrequest: the key is not on P-256")
	}
	point, err := pub.Bytes()
	if err != nil {
		return jwk{}, fmt.Errorf("signrequest: %w", err)
	}
	x, y := point[1:1+coordinate], point[1+coordinate:]
	return jwk{
		Type: "EC", Curve: "P-256", Algorithm: "ES256", Use: "sig",
		X: base64.RawURLEncoding.EncodeToString(x), Y: base64.RawURLEncoding.EncodeToString(y),
	}, nil
}

// public returns the key, whose ID must be its thumbprint.
func (k jwk) public() (Key, error) {
	if k.Type != "EC" || k.Curve != "P-256" || k.Algorithm != "" && k.Algorithm != "ES256" || k.Use != "" && k.Use != "sig" {
		return Key{}, errors.New("a key is not for ES256")
	}
	x, err := unbase64(k.X)
	if err != nil {
		return Key{}, fmt.Errorf("x: %w", err)
	}
	y, err := unbase64(k.Y)
	if err != nil {
		return Key{}, fmt.Errorf("y: %w", err)
	}
	if len(x) != coordinate || len(y) != coordinate {
		return Key{}, errors.New("a coordinate is not of 32 bytes")
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
	if err != nil {
		return Key{}, errors.New("a key is not on P-256")
	}
	key, err := NewKey(pub)
	if err != nil {
		return Key{}, err
	}
	if key.ID != k.ID {
		return Key{}, errors.New("the ID of a key is not its thumbprint")
	}
	return key, nil
}

// Marshal returns the card in JSON, or why the gateway cannot be published.
func (c Card) Marshal() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("signrequest: %w", err)
	}
	out := cardJSON{Issuer: c.URL, Name: c.Name, AgentPorts: c.AgentPorts}
	for _, key := range c.Keys {
		k, err := jwkOf(key.Public)
		if err != nil {
			return nil, err
		}
		k.ID = key.ID
		out.Keys = append(out.Keys, k)
	}
	return encode(out)
}

// ParseCard reads a card. Its error has reason [reason.SignGatewayCard]. That the card is
// of the gateway that was asked for it, the caller checks: URL is where it must have come
// from.
func ParseCard(raw []byte) (Card, error) {
	c, err := parseCard(raw)
	if err != nil {
		return Card{}, reason.New(reason.SignGatewayCard, err)
	}
	return c, nil
}

func parseCard(raw []byte) (Card, error) {
	var in cardJSON
	if len(raw) > MaxCard {
		return Card{}, errors.New("too long")
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return Card{}, errors.New("not the JSON that is expected")
	}
	c := Card{Gateway: Gateway{URL: in.Issuer, Name: in.Name}, AgentPorts: in.AgentPorts}
	if len(in.Keys) > MaxKeys {
		return Card{}, errors.New("too many keys")
	}
	for _, k := range in.Keys {
		key, err := k.public()
		if err != nil {
			return Card{}, err
		}
		c.Keys = append(c.Keys, key)
	}
	return c, c.check()
}

// Check returns what is wrong with a gateway, or nil.
func (g Gateway) Check() error {
	if err := checkOrigin(g.URL); err != nil {
		return err
	}
	if !OneLine(g.Name) {
		return errors.New("the name of the gateway is not one printable line")
	}
	if len(g.Keys) == 0 || len(g.Keys) > MaxKeys {
		return fmt.Errorf("the gateway has %d keys, not 1 to %d", len(g.Keys), MaxKeys)
	}
	for _, k := range g.Keys {
		if id, err := KeyID(k.Public); err != nil || id != k.ID {
			return errors.New("the ID of a key is not its thumbprint")
		}
	}
	return nil
}

func (c Card) check() error {
	if err := c.Check(); err != nil {
		return err
	}
	if len(c.AgentPorts) == 0 || len(c.AgentPorts) > maxPorts {
		return fmt.Errorf("%d ports of agents, not 1 to %d", len(c.AgentPorts), maxPorts)
	}
	for _, p := range c.AgentPorts {
		if p < 1 || p > 65535 {
			return errors.New("a port of agents cannot be")
		}
	}
	return nil
}

// find returns the gateways that have a key, and the key. There may be several: one owner
// has two, or somebody has published the key of another as his own, which must not be
// enough to keep that one from asking.
func find(enrolled []Gateway, id string) (of []*Gateway, key *ecdsa.PublicKey) {
	for i := range enrolled {
		for _, k := range enrolled[i].Keys {
			if thumbprint, err := KeyID(k.Public); err == nil && thumbprint == id { // not the ID that it claims
				of, key = append(of, &enrolled[i]), k.Public
				break
			}
		}
	}
	return of, key
}
