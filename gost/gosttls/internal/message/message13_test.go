package message

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// form13 is a kind of message of TLS 1.3 with a good one.
type form13 struct {
	name  string
	typ   Type
	parse func(body []byte) (marshaler, error)
	good  marshaler

	// lengths are places of lengths in the body of the good one, and their sizes.
	lengths [][2]int
}

// hello13 is a ClientHello with what it says about TLS 1.3. It is written from the
// latter, so that nothing may get lost.
type hello13 struct {
	*ClientHello
	offer *Offer13
}

func (h *hello13) Marshal() []byte {
	again := *h.ClientHello
	again.Extensions = slices.Clone(again.Extensions)
	for i, e := range again.Extensions {
		switch e.Type {
		case ExtKeyShare:
			again.Extensions[i] = KeyShares(h.offer.Shares)
		case ExtPSKModes:
			again.Extensions[i] = PSKModes(h.offer.PSKModes)
		case ExtPreSharedKey:
			again.Extensions[i] = h.offer.PSKs.Extension()
		case ExtCookie:
			again.Extensions[i] = Cookie(h.offer.Cookie)
		}
	}
	return again.Marshal()
}

func parseHello13(body []byte) (marshaler, error) {
	h, err := ParseClientHello(body)
	if err != nil {
		return nil, err
	}
	o, err := ParseOffer13(h)
	if err != nil {
		if o != nil {
			return &hello13{h, o}, err
		}
		return nil, err
	}
	return &hello13{h, o}, nil
}

// answer13 is the same for a ServerHello.
type answer13 struct {
	*ServerHello
	answer *Answer13
}

func (h *answer13) Marshal() []byte {
	again := *h.ServerHello
	again.Extensions = slices.Clone(again.Extensions)
	fresh := h.answer.Extensions()
	for i, e := range again.Extensions {
		if j := slices.IndexFunc(fresh, func(f Extension) bool { return f.Type == e.Type }); j >= 0 {
			again.Extensions[i] = fresh[j]
		}
	}
	return again.Marshal()
}

func parseAnswer13(body []byte) (marshaler, error) {
	h, err := ParseServerHello(body)
	if err != nil {
		return nil, err
	}
	a, err := ParseAnswer13(h)
	if err != nil {
		if a != nil {
			return &answer13{h, a}, err
		}
		return nil, err
	}
	return &answer13{h, a}, nil
}

func bare(extensions ...Extension) *ClientHello {
	return &ClientHello{Version: 0x0303, CipherSuites: []uint16{0xc105}, Compressions: []byte{0}, Extensions: extensions}
}

func answered(random [RandomSize]byte, a *Answer13) *answer13 {
	return &answer13{&ServerHello{Version: 0x0303, Random: random, CipherSuite: 0xc105, Extensions: a.Extensions()}, a}
}

// Where the data of the first extension begins in the hellos above.
const (
	inClientHello = 2 + 32 + 1 + 4 + 2 + 2 + 4
	inServerHello = 2 + 32 + 1 + 2 + 1 + 2 + 4
)

func forms13() []form13 {
	share := KeyShare{Group: 34, Key: bytes.Repeat([]byte{7}, 64)}
	psks := &PreSharedKeys{Identities: []Identity{{Ticket: bytes.Repeat([]byte{8}, 100), Age: 5}}, Binders: [][]byte{bytes.Repeat([]byte{9}, 32)}}
	number := uint16(3)
	request := &CertificateRequest13{Context: []byte("context"), Extensions: []Extension{SignatureAlgorithms([]uint16{0x0709})}}
	chain := &Certificate13{Context: []byte("c"), Entries: []CertificateEntry{
		{DER: []byte("leaf"), Extensions: []Extension{{Type: 5, Data: []byte("status")}}}, {DER: []byte("issuer"), Extensions: []Extension{}},
	}}
	ticket := &SessionTicket13{Lifetime: 7200, AgeAdd: 1, Nonce: []byte("nonce"), Ticket: bytes.Repeat([]byte{0xaa}, 6), Extensions: []Extension{{Type: 42, Data: bytes.Repeat([]byte{0xff}, 4)}}}
	client := func(name string, e Extension, lengths ...[2]int) form13 {
		for i := range lengths {
			lengths[i][0] += inClientHello
		}
		h := bare(e)
		o, err := ParseOffer13(h)
		if err != nil {
			panic(err)
		}
		return form13{name, TypeClientHello, parseHello13, &hello13{h, o}, append(lengths, [2]int{inClientHello - 2, 2})}
	}
	server := func(name string, random [RandomSize]byte, a *Answer13, lengths ...[2]int) form13 {
		for i := range lengths {
			lengths[i][0] += inServerHello
		}
		return form13{name, TypeServerHello, parseAnswer13, answered(random, a), append(lengths, [2]int{inServerHello - 2, 2})}
	}
	return []form13{
		client("key_share", KeyShares([]KeyShare{share}), [2]int{0, 2}, [2]int{4, 2}),
		client("empty key_share", KeyShares(nil), [2]int{0, 2}),
		client("psk_key_exchange_modes", PSKModes([]uint8{1}), [2]int{0, 1}),
		client("pre_shared_key", psks.Extension(), [2]int{0, 2}, [2]int{2, 2}, [2]int{2 + 2 + 100 + 4, 2}, [2]int{2 + 2 + 100 + 4 + 2, 1}),
		client("cookie", Cookie([]byte("cookie")), [2]int{0, 2}),
		client("early_data", Extension{Type: ExtEarlyData}),
		server("supported_versions of a server", [32]byte{1}, &Answer13{Version: 0x0304}),
		server("key_share of a server", [32]byte{1}, &Answer13{Share: &share}, [2]int{2, 2}),
		server("pre_shared_key of a server", [32]byte{1}, &Answer13{PSK: &number}),
		server("key_share of a retry", RetryRandom, &Answer13{Group: 34}),
		server("cookie of a retry", RetryRandom, &Answer13{Cookie: []byte("cookie")}, [2]int{0, 2}),
		{"EncryptedExtensions", TypeEncryptedExtensions, func(b []byte) (marshaler, error) {
			return notNil(ParseEncryptedExtensions(b))
		}, &EncryptedExtensions{Extensions: []Extension{SupportedGroups([]uint16{34})}}, [][2]int{{0, 2}, {4, 2}}},
		{"CertificateRequest", TypeCertificateRequest, func(b []byte) (marshaler, error) {
			return notNil(ParseCertificateRequest13(b))
		}, request, [][2]int{{0, 1}, {8, 2}, {12, 2}, {14, 2}}},
		{"Certificate", TypeCertificate, func(b []byte) (marshaler, error) {
			return notNil(ParseCertificate13(b))
		}, chain, [][2]int{{0, 1}, {2, 3}, {5, 3}, {12, 2}, {16, 2}, {24, 3}, {33, 2}}},
		{"NewSessionTicket", TypeNewSessionTicket, func(b []byte) (marshaler, error) {
			return notNil(ParseSessionTicket13(b))
		}, ticket, [][2]int{{8, 1}, {14, 2}, {22, 2}, {26, 2}}},
		{"KeyUpdate", TypeKeyUpdate, func(b []byte) (marshaler, error) { return notNil(ParseKeyUpdate(b)) }, &KeyUpdate{Requested: true}, nil},
	}
}

// What was written is read, and written as it was.
func TestRoundTrip13(t *testing.T) {
	for _, f := range forms13() {
		raw := f.good.Marshal()
		m, err := f.parse(raw[HeaderSize:])
		if err != nil || Type(raw[0]) != f.typ || !bytes.Equal(m.Marshal(), raw) {
			t.Errorf("%s: %x: %v", f.name, raw, err)
		}
	}
}

// Every shorter message and every longer one is refused, and every length that is not
// the right one.
func TestEveryLength13(t *testing.T) {
	for _, f := range forms13() {
		body := f.good.Marshal()[HeaderSize:]
		refused := func(spoilt []byte) {
			t.Helper()
			if m, err := f.parse(spoilt); err == nil || m != nil {
				t.Errorf("%s: accepted %x, was %x", f.name, spoilt, body)
			}
		}
		refused(append(bytes.Clone(body), 0))
		for n := range body {
			if m, err := f.parse(body[:n]); err == nil && !endsEarly13(m) {
				t.Errorf("%s: first %d of %d bytes accepted", f.name, n, len(body))
			}
		}
		for _, l := range f.lengths {
			for _, spoilt := range spoiltLengths(body, l[0], l[1]) {
				refused(spoilt)
			}
		}
	}
}

// endsEarly13 reports whether a message is a hello without extensions, which TLS 1.2
// allows.
func endsEarly13(m marshaler) bool {
	switch m := m.(type) {
	case *hello13:
		return m.Extensions == nil
	case *answer13:
		return m.Extensions == nil
	}
	return false
}

// What is well formed and wrong.
func TestIllegal13(t *testing.T) {
	share := KeyShare{Group: 34, Key: []byte{1}}
	psks := &PreSharedKeys{Identities: []Identity{{Ticket: []byte("a")}}, Binders: [][]byte{make([]byte, 32)}}
	for name, h := range map[string]*ClientHello{
		"one group twice":         bare(KeyShares([]KeyShare{share, share})),
		"pre_shared_key not last": bare(psks.Extension(), PSKModes([]uint8{1})),
		"binder missing":          bare((&PreSharedKeys{Identities: append(psks.Identities, psks.Identities...), Binders: psks.Binders}).Extension()),
		"binder too many":         bare((&PreSharedKeys{Identities: psks.Identities, Binders: append(psks.Binders, psks.Binders...)}).Extension()),
	} {
		if o, err := ParseOffer13(h); !errors.Is(err, ErrIllegal) || o != nil {
			t.Errorf("%s: %v, %v", name, o, err)
		}
	}
	for name, h := range map[string]*ClientHello{
		"too many shares":     bare(KeyShares(make([]KeyShare, maxKeyShares+1))),
		"too many identities": bare((&PreSharedKeys{Identities: slices.Repeat(psks.Identities, maxIdentities+1), Binders: psks.Binders}).Extension()),
		"too many binders":    bare((&PreSharedKeys{Identities: psks.Identities, Binders: slices.Repeat(psks.Binders, maxIdentities+1)}).Extension()),
		"short binder":        bare((&PreSharedKeys{Identities: psks.Identities, Binders: [][]byte{make([]byte, 31)}}).Extension()),
		"empty ticket":        bare((&PreSharedKeys{Identities: []Identity{{}}, Binders: psks.Binders}).Extension()),
		"no identity":         bare((&PreSharedKeys{Binders: psks.Binders}).Extension()),
		"no binder":           bare((&PreSharedKeys{Identities: psks.Identities}).Extension()),
		"no modes":            bare(PSKModes(nil)),
		"empty cookie":        bare(Cookie(nil)),
		"empty share":         bare(KeyShares([]KeyShare{{Group: 34}})),
	} {
		if o, err := ParseOffer13(h); !errors.Is(err, ErrSyntax) || o != nil {
			t.Errorf("%s: %v, %v", name, o, err)
		}
	}
	if m, err := ParseKeyUpdate([]byte{2}); !errors.Is(err, ErrIllegal) || m != nil {
		t.Errorf("KeyUpdate: %v, %v", m, err)
	}
}

func TestBindersSize(t *testing.T) {
	psks := &PreSharedKeys{Identities: make([]Identity, 2), Binders: [][]byte{make([]byte, 32), make([]byte, 40)}}
	if got := psks.BindersSize(); got != 2+33+41 {
		t.Errorf("%d bytes", got)
	}
}

// What may differ between two hellos around a HelloRetryRequest.
func TestSameButRetried(t *testing.T) {
	first := bare(SupportedGroups([]uint16{34}), KeyShares(nil), PSKModes([]uint8{1}))
	for name, test := range map[string]struct {
		second *ClientHello
		same   bool
	}{
		"same":           {bare(first.Extensions...), true},
		"key share":      {bare(SupportedGroups([]uint16{34}), KeyShares([]KeyShare{{1, []byte{2}}}), PSKModes([]uint8{1})), true},
		"cookie":         {bare(append(slices.Clone(first.Extensions), Cookie([]byte("c")))...), true},
		"padding":        {bare(append(slices.Clone(first.Extensions), Extension{Type: ExtPadding})...), true},
		"one less":       {bare(first.Extensions[:2]...), false},
		"one more":       {bare(append(slices.Clone(first.Extensions), Extension{Type: 99})...), false},
		"other content":  {bare(SupportedGroups([]uint16{35}), KeyShares(nil), PSKModes([]uint8{1})), false},
		"another order":  {bare(PSKModes([]uint8{1}), KeyShares(nil), SupportedGroups([]uint16{34})), false},
		"another suite":  {&ClientHello{Version: 0x0303, CipherSuites: []uint16{0xc106}, Compressions: []byte{0}, Extensions: first.Extensions}, false},
		"another random": {&ClientHello{Version: 0x0303, Random: [32]byte{1}, CipherSuites: []uint16{0xc105}, Compressions: []byte{0}, Extensions: first.Extensions}, false},
	} {
		if got := test.second.SameButRetried(first); got != test.same {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSentinels(t *testing.T) {
	var random [RandomSize]byte
	if DowngradeMarked(random) {
		t.Error("marked without a mark")
	}
	for _, s := range []Sentinel{DowngradeTo11, DowngradeTo12} {
		MarkDowngrade(&random, s)
		if !DowngradeMarked(random) || string(random[24:31]) != "DOWNGRD" {
			t.Errorf("random %x", random)
		}
	}
}

// fuzz13 runs the parsers of a type: each refuses and returns nothing, or the message
// can be written back byte for byte.
func fuzz13(f *testing.F, typ Type) {
	var all []form13
	for _, form := range forms13() {
		if form.typ == typ {
			f.Add(form.good.Marshal()[HeaderSize:])
			all = append(all, form)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := all[0].parse(body)
		if err != nil {
			if m != nil {
				t.Fatalf("%x: refused, yet returned %v", body, m)
			}
			if !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrDuplicateExtension) && !errors.Is(err, ErrIllegal) {
				t.Fatalf("%x: error %v", body, err)
			}
			return
		}
		if back := m.Marshal(); Type(back[0]) != typ || !bytes.Equal(back[HeaderSize:], body) {
			t.Fatalf("%x is written as %x", body, back)
		}
	})
}

func FuzzClientHello13(f *testing.F)        { fuzz13(f, TypeClientHello) }
func FuzzServerHello13(f *testing.F)        { fuzz13(f, TypeServerHello) }
func FuzzEncryptedExtensions(f *testing.F)  { fuzz13(f, TypeEncryptedExtensions) }
func FuzzCertificateRequest13(f *testing.F) { fuzz13(f, TypeCertificateRequest) }
func FuzzCertificate13(f *testing.F)        { fuzz13(f, TypeCertificate) }
func FuzzSessionTicket13(f *testing.F)      { fuzz13(f, TypeNewSessionTicket) }
func FuzzKeyUpdate(f *testing.F)            { fuzz13(f, TypeKeyUpdate) }

// The lists of a hello are bounded: whoever sends them has shown nothing yet.
func TestListsBounded13(t *testing.T) {
	for n, ok := range map[int]bool{maxKeyShares: true, maxKeyShares + 1: false} {
		shares := make([]KeyShare, n)
		for i := range shares {
			shares[i] = KeyShare{Group: uint16(i), Key: []byte{1}}
		}
		if _, err := ParseOffer13(bare(KeyShares(shares))); (err == nil) != ok {
			t.Errorf("%d key shares: %v", n, err)
		}
	}
	for n, ok := range map[int]bool{maxIdentities: true, maxIdentities + 1: false} {
		psks := new(PreSharedKeys)
		for range n {
			psks.Identities = append(psks.Identities, Identity{Ticket: []byte{1}})
			psks.Binders = append(psks.Binders, make([]byte, minBinder))
		}
		if _, err := ParseOffer13(bare(psks.Extension())); (err == nil) != ok {
			t.Errorf("%d pre-shared keys: %v", n, err)
		}
		psks.Identities = psks.Identities[:1]
		if o, err := ParseOffer13(bare(psks.Extension())); err == nil {
			t.Errorf("%d binders for one key: %+v", n, o)
		}
	}
}
