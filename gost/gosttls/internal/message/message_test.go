package message

import (
	"bytes"
	"errors"
	"testing"

	"propusk/gost/gosttls/internal/recording"
)

// marshaler is any parsed message.
type marshaler interface{ Marshal() []byte }

// parse runs the parser of a type of message. Client and server send different
// hellos, which have different types.
func parse(typ Type, body []byte) (marshaler, error) {
	switch typ {
	case TypeClientHello:
		return notNil(ParseClientHello(body))
	case TypeServerHello:
		return notNil(ParseServerHello(body))
	case TypeCertificate:
		return notNil(ParseCertificate(body))
	case TypeCertificateRequest:
		return notNil(ParseCertificateRequest(body))
	case TypeCertificateVerify:
		return notNil(ParseCertificateVerify(body))
	case TypeClientKeyExchange:
		return notNil(ParseClientKeyExchange(body))
	case TypeFinished:
		return notNil(ParseFinished(body))
	}
	return nil, errors.New("no parser")
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

// recorded returns the bodies of all recorded messages of a type.
func recorded(t testing.TB, typ Type) [][]byte {
	t.Helper()
	var bodies [][]byte
	for _, r := range recording.LoadAll(t, "../../testdata") {
		for _, wire := range [][]byte{r.FromClient, r.FromServer} {
			for _, m := range recording.Messages(t, wire) {
				if Type(m[0]) == typ {
					bodies = append(bodies, m[HeaderSize:])
				}
			}
		}
	}
	return bodies
}

// finishedBody is the only message that is never on the wire in clear.
var finishedBody = bytes.Repeat([]byte{0xab}, FinishedSize)

var parsedTypes = []Type{
	TypeClientHello, TypeServerHello, TypeCertificate, TypeCertificateRequest,
	TypeClientKeyExchange, TypeCertificateVerify, TypeFinished,
}

func bodiesOf(t testing.TB, typ Type) [][]byte {
	t.Helper()
	bodies := recorded(t, typ)
	if typ == TypeFinished {
		bodies = [][]byte{finishedBody}
	}
	if len(bodies) == 0 {
		t.Fatalf("no message of type %d", typ)
	}
	return bodies
}

// What OpenSSL sends is understood and written back as it was.
func TestRecordedMessages(t *testing.T) {
	for _, typ := range parsedTypes {
		for _, body := range bodiesOf(t, typ) {
			m, err := parse(typ, body)
			if err != nil {
				t.Errorf("type %d: %x: %v", typ, body, err)
				continue
			}
			if back := m.Marshal(); Type(back[0]) != typ || !bytes.Equal(back[HeaderSize:], body) {
				t.Errorf("type %d: %x is written as %x", typ, body, back)
			}
		}
	}
}

// Every shorter message and every longer one is refused. Two kinds may end early:
// a hello may end before the extensions.
func TestLengths(t *testing.T) {
	for _, typ := range parsedTypes {
		body := bodiesOf(t, typ)[0]
		if _, err := parse(typ, append(bytes.Clone(body), 0)); err == nil {
			t.Errorf("type %d: trailing byte accepted", typ)
		}
		for n := range body {
			m, err := parse(typ, body[:n])
			if err == nil && !endsBeforeExtensions(m) {
				t.Errorf("type %d: first %d of %d bytes accepted", typ, n, len(body))
			}
			if err != nil && m != nil {
				t.Errorf("type %d: refused, yet returned %v", typ, m)
			}
		}
	}
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

// fuzz runs a parser: it refuses and returns nothing, or the message can be
// written back byte for byte.
func fuzz(f *testing.F, typ Type) {
	for _, body := range bodiesOf(f, typ) {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := parse(typ, body)
		if err != nil {
			if m != nil {
				t.Fatalf("%x: refused, yet returned %v", body, m)
			}
			if !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrDuplicateExtension) {
				t.Fatalf("%x: error %v", body, err)
			}
			return
		}
		if back := m.Marshal(); Type(back[0]) != typ || !bytes.Equal(back[HeaderSize:], body) {
			t.Fatalf("%x is written as %x", body, back)
		}
	})
}

func FuzzClientHello(f *testing.F)        { fuzz(f, TypeClientHello) }
func FuzzServerHello(f *testing.F)        { fuzz(f, TypeServerHello) }
func FuzzCertificate(f *testing.F)        { fuzz(f, TypeCertificate) }
func FuzzCertificateRequest(f *testing.F) { fuzz(f, TypeCertificateRequest) }
func FuzzClientKeyExchange(f *testing.F)  { fuzz(f, TypeClientKeyExchange) }
func FuzzCertificateVerify(f *testing.F)  { fuzz(f, TypeCertificateVerify) }
func FuzzFinished(f *testing.F)           { fuzz(f, TypeFinished) }
