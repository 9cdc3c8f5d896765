package message

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"propusk/gost/gosttls/internal/recording"
)

// marshaler is any parsed message.
type marshaler interface{ Marshal() []byte }

// A form is a message as one parser knows it: some look different in other versions or
// with other suites.
type form struct {
	name  string
	typ   Type
	parse func(body []byte) (marshaler, error)

	// of reports whether recordings of a version and suite have the message in this
	// form.
	of func(version, suite uint16) bool

	// lengths walks over a body and notes where its lengths are.
	lengths func(c *cursor)
}

func always(uint16, uint16) bool       { return true }
func since12(version, _ uint16) bool   { return version >= version12 }
func before12(version, _ uint16) bool  { return version < version12 }
func withCTROMAC(_, suite uint16) bool { return suite == 0xc100 || suite == 0xc101 }
func withCNTIMIT(_, suite uint16) bool { return suite == 0xc102 || suite == 0xff85 }

var (
	clientHello = form{"ClientHello", TypeClientHello, func(b []byte) (marshaler, error) {
		return notNil(ParseClientHello(b))
	}, always, (*cursor).clientHello}
	serverHello = form{"ServerHello", TypeServerHello, func(b []byte) (marshaler, error) {
		return notNil(ParseServerHello(b))
	}, always, (*cursor).serverHello}
	certificate = form{"Certificate", TypeCertificate, func(b []byte) (marshaler, error) {
		return notNil(ParseCertificate(b))
	}, always, (*cursor).certificate}
	request = form{"CertificateRequest", TypeCertificateRequest, func(b []byte) (marshaler, error) {
		return notNil(ParseCertificateRequest(b, version12))
	}, since12, func(c *cursor) { c.request(true) }}
	oldRequest = form{"CertificateRequest of TLS 1.0", TypeCertificateRequest, func(b []byte) (marshaler, error) {
		return notNil(ParseCertificateRequest(b, 0x0301))
	}, before12, func(c *cursor) { c.request(false) }}
	verify = form{"CertificateVerify", TypeCertificateVerify, func(b []byte) (marshaler, error) {
		return notNil(ParseCertificateVerify(b, version12))
	}, since12, func(c *cursor) { c.skip(2); c.skip(c.length(2)) }}
	oldVerify = form{"CertificateVerify of TLS 1.1", TypeCertificateVerify, func(b []byte) (marshaler, error) {
		return notNil(ParseCertificateVerify(b, 0x0302))
	}, before12, func(c *cursor) { c.skip(c.length(2)) }}
	keyExchange = form{"ClientKeyExchange", TypeClientKeyExchange, func(b []byte) (marshaler, error) {
		return notNil(ParseClientKeyExchange(b))
	}, withCTROMAC, func(c *cursor) { c.der("0", "0.1") }}
	keyExchange28147 = form{"ClientKeyExchange of CNT_IMIT", TypeClientKeyExchange, func(b []byte) (marshaler, error) {
		return notNil(ParseClientKeyExchange28147(b))
	}, withCNTIMIT, func(c *cursor) { c.der("0", "0.0.1.1") }}
	finished = form{"Finished", TypeFinished, func(b []byte) (marshaler, error) {
		return notNil(ParseFinished(b, 32))
	}, withCTROMAC, nil}
	shortFinished = form{"Finished of CNT_IMIT", TypeFinished, func(b []byte) (marshaler, error) {
		return notNil(ParseFinished(b, 12))
	}, withCNTIMIT, nil}
)

var forms = []form{
	clientHello, serverHello, certificate, request, oldRequest, verify, oldVerify, keyExchange, keyExchange28147,
	finished, shortFinished,
}

// notNil keeps a typed nil out of the interface.
func notNil[T any, P interface {
	*T
	marshaler
}](m P, err error) (marshaler, error) {
	if m == nil {
		return nil, err
	}
	return m, err
}

// recorded returns the bodies of all recorded messages of a form.
func recorded(t testing.TB, f form) [][]byte {
	t.Helper()
	var bodies [][]byte
	for _, r := range recording.LoadAll(t, "../../testdata") {
		server := recording.Messages(t, r.FromServer)
		hello, err := ParseServerHello(server[0][HeaderSize:])
		if err != nil {
			t.Fatal(err)
		}
		if !f.of(hello.Version, hello.CipherSuite) {
			continue
		}
		for _, m := range append(recording.Messages(t, r.FromClient), server...) {
			if Type(m[0]) == f.typ {
				bodies = append(bodies, m[HeaderSize:])
			}
		}
	}
	return bodies
}

// bodiesOf returns bodies of a form. Finished is never on the wire in clear.
func bodiesOf(t testing.TB, f form) [][]byte {
	t.Helper()
	bodies := recorded(t, f)
	switch f.name {
	case finished.name:
		bodies = [][]byte{bytes.Repeat([]byte{0xab}, 32)}
	case shortFinished.name:
		bodies = [][]byte{bytes.Repeat([]byte{0xab}, 12)}
	}
	if len(bodies) == 0 {
		t.Fatalf("no %s", f.name)
	}
	return bodies
}

// What OpenSSL and GnuTLS send is understood and written back as it was.
func TestRecordedMessages(t *testing.T) {
	for _, f := range forms {
		for _, body := range bodiesOf(t, f) {
			m, err := f.parse(body)
			if err != nil {
				t.Errorf("%s: %x: %v", f.name, body, err)
				continue
			}
			if back := m.Marshal(); Type(back[0]) != f.typ || !bytes.Equal(back[HeaderSize:], body) {
				t.Errorf("%s: %x is written as %x", f.name, body, back)
			}
		}
	}
}

// Every shorter message and every longer one is refused. Two kinds may end early:
// a hello may end before the extensions, a signature of TLS 1.0 have no length.
func TestLengths(t *testing.T) {
	for _, f := range forms {
		body := bodiesOf(t, f)[0]
		if _, err := f.parse(append(bytes.Clone(body), 0)); err == nil {
			t.Errorf("%s: trailing byte accepted", f.name)
		}
		for n := range body {
			m, err := f.parse(body[:n])
			if err == nil && !endsBeforeExtensions(m) && (f.name != oldVerify.name || n != 64) {
				t.Errorf("%s: first %d of %d bytes accepted", f.name, n, len(body))
			}
			if err != nil && m != nil {
				t.Errorf("%s: refused, yet returned %v", f.name, m)
			}
		}
	}
}

// cursor walks over a message and notes where its lengths are.
type cursor struct {
	b       []byte
	at      int
	lengths [][2]int // position and number of bytes
}

func (c *cursor) skip(n int) { c.at += n }

// length notes a length and returns it.
func (c *cursor) length(size int) int {
	c.lengths = append(c.lengths, [2]int{c.at, size})
	n := 0
	for _, b := range c.b[c.at : c.at+size] {
		n = n<<8 | int(b)
	}
	c.at += size
	return n
}

// list calls each for every element of a list.
func (c *cursor) list(size int, each func()) {
	n := c.length(size)
	for end := c.at + n; c.at < end; {
		each()
	}
}

func (c *cursor) clientHello() {
	c.skip(2 + RandomSize)
	c.skip(c.length(1))
	c.skip(c.length(2))
	c.skip(c.length(1))
	c.extensions()
}

func (c *cursor) serverHello() {
	c.skip(2 + RandomSize)
	c.skip(c.length(1))
	c.skip(3)
	c.extensions()
}

// extensions notes the lengths of the extensions that have a form. One that is opaque
// may as well be longer and swallow its neighbours: that is another hello, and good.
func (c *cursor) extensions() {
	c.list(2, func() {
		typ := uint16(c.b[c.at])<<8 | uint16(c.b[c.at+1])
		c.skip(2)
		opaque := len(c.lengths)
		end := c.length(2)
		end += c.at
		switch typ {
		case ExtExtendedMasterSecret:
		case ExtSupportedGroups, ExtSignatureAlgorithms:
			c.length(2)
		case ExtRenegotiationInfo:
			c.length(1)
		case ExtServerName:
			c.list(2, func() { c.skip(1); c.skip(c.length(2)) })
		default:
			c.lengths = c.lengths[:opaque]
		}
		c.at = end
	})
}

func (c *cursor) certificate() { c.list(3, func() { c.skip(c.length(3)) }) }

func (c *cursor) request(schemes bool) {
	c.skip(c.length(1))
	if schemes {
		c.skip(c.length(2))
	}
	c.list(2, func() { c.skip(c.length(2)) })
}

// der notes the lengths of an element and of everything in it but the element at the
// path of the ephemeral key, which these parsers do not look into.
func (c *cursor) der(path, key string) {
	constructed := c.b[c.at]&0x20 != 0
	c.skip(1)
	size := 1
	if c.b[c.at] >= 0x80 {
		size = int(c.b[c.at] - 0x80)
		c.skip(1)
	}
	end := c.length(size)
	end += c.at
	for i := 0; constructed && path != key && c.at < end; i++ {
		c.der(fmt.Sprintf("%s.%d", path, i), key)
	}
	c.at = end
}

// Every length in every message, as it should not be: a message with one is refused.
func TestEveryLength(t *testing.T) {
	for _, f := range forms {
		if f.lengths == nil {
			continue // it has none: see TestLengths
		}
		bodies := bodiesOf(t, f)[:1]
		if f.name == clientHello.name {
			bodies = append(bodies, hello(ServerName("a.example"), SupportedGroups([]uint16{34}), RenegotiationInfo()).Marshal()[HeaderSize:])
		}
		for _, body := range bodies {
			c := &cursor{b: body}
			f.lengths(c)
			if len(c.lengths) == 0 || c.at != len(body) {
				t.Fatalf("%s: %d lengths; walked over %d of %d bytes", f.name, len(c.lengths), c.at, len(body))
			}
			for _, l := range c.lengths {
				for _, spoilt := range spoiltLengths(body, l[0], l[1]) {
					if m, err := f.parse(spoilt); err == nil || m != nil {
						t.Errorf("%s: length of %d bytes at %d: accepted %x, was %x", f.name, l[1], l[0], spoilt, body)
					}
				}
			}
		}
	}
}

// spoiltLengths returns the body with other lengths at a place: one more and less, all
// values with one bit flipped, the least and the greatest.
func spoiltLengths(body []byte, at, size int) [][]byte {
	var all [][]byte
	set := func(f func(field []byte)) {
		spoilt := bytes.Clone(body)
		f(spoilt[at : at+size])
		if !bytes.Equal(spoilt, body) {
			all = append(all, spoilt)
		}
	}
	set(func(b []byte) { clear(b) })
	set(func(b []byte) { copy(b, bytes.Repeat([]byte{0xff}, size)) })
	for bit := range 8 * size {
		set(func(b []byte) { b[bit/8] ^= 1 << (bit % 8) })
	}
	set(func(b []byte) {
		for i := size - 1; i >= 0; i-- {
			if b[i]++; b[i] != 0 {
				return
			}
		}
	})
	set(func(b []byte) {
		for i := size - 1; i >= 0; i-- {
			if b[i]--; b[i] != 0xff {
				return
			}
		}
	})
	return all
}

func endsBeforeExtensions(m marshaler) bool {
	switch m := m.(type) {
	case *ClientHello:
		return m.Extensions == nil
	case *ServerHello:
		return m.Extensions == nil
	}
	return false
}

func hello(extensions ...Extension) *ClientHello {
	return &ClientHello{
		Version:      0x0303,
		CipherSuites: []uint16{0xc100},
		Compressions: []byte{0},
		Extensions:   extensions,
	}
}

func TestClientHelloExtensions(t *testing.T) {
	h := hello(
		ServerName("sign-in.example"),
		SupportedGroups([]uint16{34, 40}),
		SignatureAlgorithms([]uint16{SchemeGOST256}),
		ExtendedMasterSecret(),
		Extension{Type: 0x1234, Data: []byte("unknown")},
		Extension{Type: ExtSupportedVersions, Data: []byte{4, 3, 4, 3, 3}},
		RenegotiationInfo(),
	)
	got, err := ParseClientHello(h.Marshal()[HeaderSize:])
	if err != nil {
		t.Fatal(err)
	}
	k := got.Known
	if k.ServerName != "sign-in.example" || len(k.Groups) != 2 || k.Groups[1] != 40 || len(k.Schemes) != 1 ||
		!k.ExtendedMasterSecret || k.Renegotiation == nil || len(k.Renegotiation) != 0 || len(k.Versions) != 2 {
		t.Errorf("understood %+v", k)
	}
	if len(got.Extensions) != len(h.Extensions) {
		t.Errorf("%d extensions of %d", len(got.Extensions), len(h.Extensions))
	}
}

func TestClientHelloRefused(t *testing.T) {
	many := make([]Extension, maxExtensions+1)
	for i := range many {
		many[i].Type = 0x4000 + uint16(i)
	}
	for name, test := range map[string]struct {
		extensions []Extension
		want       error
	}{
		"duplicate known":             {[]Extension{ExtendedMasterSecret(), ExtendedMasterSecret()}, ErrDuplicateExtension},
		"duplicate unknown":           {[]Extension{{Type: 0x1234}, {Type: 5}, {Type: 0x1234}}, ErrDuplicateExtension},
		"too many":                    {many, ErrSyntax},
		"EMS with content":            {[]Extension{{Type: ExtExtendedMasterSecret, Data: []byte{0}}}, ErrSyntax},
		"no name":                     {[]Extension{ServerName("")}, ErrSyntax},
		"name with line break":        {[]Extension{ServerName("a\nb")}, ErrSyntax},
		"name with high byte":         {[]Extension{ServerName("a\xffb")}, ErrSyntax},
		"name of another type":        {[]Extension{{Type: ExtServerName, Data: []byte{0, 4, 1, 0, 1, 'a'}}}, ErrSyntax},
		"two names":                   {[]Extension{{Type: ExtServerName, Data: []byte{0, 8, 0, 0, 1, 'a', 0, 0, 1, 'b'}}}, ErrSyntax},
		"no groups":                   {[]Extension{SupportedGroups(nil)}, ErrSyntax},
		"odd groups":                  {[]Extension{{Type: ExtSupportedGroups, Data: []byte{0, 3, 0, 34, 0}}}, ErrSyntax},
		"no schemes":                  {[]Extension{SignatureAlgorithms(nil)}, ErrSyntax},
		"no versions":                 {[]Extension{{Type: ExtSupportedVersions, Data: []byte{0}}}, ErrSyntax},
		"renegotiation without list":  {[]Extension{{Type: ExtRenegotiationInfo}}, ErrSyntax},
		"renegotiation, wrong length": {[]Extension{{Type: ExtRenegotiationInfo, Data: []byte{1}}}, ErrSyntax},
	} {
		h, err := ParseClientHello(hello(test.extensions...).Marshal()[HeaderSize:])
		if !errors.Is(err, test.want) || h != nil {
			t.Errorf("%s: %v, %v; want %v", name, h, err, test.want)
		}
	}
}

func TestOffers(t *testing.T) {
	versions := func(v ...byte) Extension {
		return Extension{Type: ExtSupportedVersions, Data: append([]byte{byte(len(v))}, v...)}
	}
	for name, test := range map[string]struct {
		version   uint16
		extension []Extension
		want      bool
	}{
		"1.1":                         {0x0302, nil, false},
		"1.2":                         {0x0303, nil, true},
		"later":                       {0x0304, nil, true},
		"1.3 and 1.2":                 {0x0303, []Extension{versions(3, 4, 3, 3)}, true},
		"1.3 only":                    {0x0303, []Extension{versions(3, 4)}, false},
		"1.2 in the extension, 1.0":   {0x0301, []Extension{versions(3, 3)}, true},
		"only reserved and 1.1 named": {0x0303, []Extension{versions(0x0a, 0x0a, 3, 2)}, false},
	} {
		h := hello(test.extension...)
		h.Version = test.version
		got, err := ParseClientHello(h.Marshal()[HeaderSize:])
		if err != nil {
			t.Fatal(err)
		}
		if got.Offers(0x0303) != test.want {
			t.Errorf("%s: Offers = %v", name, !test.want)
		}
	}
}

// GostKeyTransport is DER: no other encoding of the same values is accepted.
func TestClientKeyExchangeRefused(t *testing.T) {
	good := []byte{0x30, 0x08, 0x04, 0x01, 0xaa, 0x30, 0x03, 0x02, 0x01, 0x05}
	if _, err := ParseClientKeyExchange(good); err != nil {
		t.Fatalf("%x: %v", good, err)
	}
	for name, der := range map[string][]byte{
		"empty":                  {},
		"not a sequence":         {0x31, 0x08, 0x04, 0x01, 0xaa, 0x30, 0x03, 0x02, 0x01, 0x05},
		"long form of length":    {0x30, 0x81, 0x08, 0x04, 0x01, 0xaa, 0x30, 0x03, 0x02, 0x01, 0x05},
		"indefinite length":      {0x30, 0x80, 0x04, 0x01, 0xaa, 0x30, 0x03, 0x02, 0x01, 0x05, 0, 0},
		"trailing byte":          append(bytes.Clone(good), 0),
		"length too great":       {0x30, 0x09, 0x04, 0x01, 0xaa, 0x30, 0x03, 0x02, 0x01, 0x05},
		"length of 4 GiB":        {0x30, 0x84, 0xff, 0xff, 0xff, 0xff},
		"key missing":            {0x30, 0x03, 0x04, 0x01, 0xaa},
		"keyExp missing":         {0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x05},
		"constructed string":     {0x30, 0x08, 0x24, 0x01, 0xaa, 0x30, 0x03, 0x02, 0x01, 0x05},
		"something in ukm place": {0x30, 0x0b, 0x04, 0x01, 0xaa, 0x30, 0x03, 0x02, 0x01, 0x05, 0x02, 0x01, 0x05},
		"something after ukm":    {0x30, 0x0d, 0x04, 0x01, 0xaa, 0x30, 0x03, 0x02, 0x01, 0x05, 0x04, 0x01, 0, 0x05, 0},
		"a length in front":      append([]byte{0, byte(len(good))}, good...),
	} {
		if m, err := ParseClientKeyExchange(der); !errors.Is(err, ErrSyntax) || m != nil {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
}

func TestEmptyClientCertificate(t *testing.T) {
	raw := (&Certificate{}).Marshal()
	m, err := ParseCertificate(raw[HeaderSize:])
	if err != nil || len(m.Chain) != 0 {
		t.Errorf("%x: %v, %v", raw, m, err)
	}
	if _, err := ParseCertificate([]byte{0, 0, 3, 0, 0, 0}); err == nil {
		t.Error("chain with a certificate of no bytes accepted")
	}
}

func TestServerHelloDone(t *testing.T) {
	if got := ServerHelloDone(); !bytes.Equal(got, []byte{14, 0, 0, 0}) {
		t.Errorf("%x", got)
	}
}

// Before TLS 1.2 a signature may stand alone; its length is then that of a signature.
func TestBareCertificateVerify(t *testing.T) {
	for n := range 140 {
		body := bytes.Repeat([]byte{0xab}, n)
		m, err := ParseCertificateVerify(body, 0x0301)
		if good := n == 64 || n == 128; good != (err == nil) {
			t.Errorf("%d bytes: %v", n, err)
		} else if good && (!m.Bare || !bytes.Equal(m.Signature, body) || !bytes.Equal(m.Marshal()[HeaderSize:], body)) {
			t.Errorf("%d bytes: %+v", n, m)
		}
		if m, err := ParseCertificateVerify(body, version12); err == nil {
			t.Errorf("%d bytes in TLS 1.2: %+v", n, m)
		}
	}
	if _, err := ParseCertificateVerify([]byte{0, 0, 0, 1, 0xab}, version12); !errors.Is(err, ErrIllegal) {
		t.Errorf("scheme 0: %v", err)
	}
}

// fuzz runs a parser: it refuses and returns nothing, or the message can be
// written back byte for byte.
func fuzz(f *testing.F, forms ...form) {
	for _, form := range forms {
		for _, body := range bodiesOf(f, form) {
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, form := range forms {
			m, err := form.parse(body)
			if err != nil {
				if m != nil {
					t.Fatalf("%s: %x: refused, yet returned %v", form.name, body, m)
				}
				if !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrDuplicateExtension) && !errors.Is(err, ErrIllegal) {
					t.Fatalf("%s: %x: error %v", form.name, body, err)
				}
				continue
			}
			if back := m.Marshal(); Type(back[0]) != form.typ || !bytes.Equal(back[HeaderSize:], body) {
				t.Fatalf("%s: %x is written as %x", form.name, body, back)
			}
		}
	})
}

func FuzzClientHello(f *testing.F)        { fuzz(f, clientHello) }
func FuzzServerHello(f *testing.F)        { fuzz(f, serverHello) }
func FuzzCertificate(f *testing.F)        { fuzz(f, certificate) }
func FuzzCertificateRequest(f *testing.F) { fuzz(f, request, oldRequest) }
func FuzzClientKeyExchange(f *testing.F)  { fuzz(f, keyExchange, keyExchange28147) }
func FuzzCertificateVerify(f *testing.F)  { fuzz(f, verify, oldVerify) }
func FuzzFinished(f *testing.F)           { fuzz(f, finished, shortFinished) }
