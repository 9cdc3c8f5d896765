package gosttls

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/wire"
)

// retrying returns configurations that need a HelloRetryRequest.
func retrying(t testing.TB) (client, server *Config) {
	t.Helper()
	client, server = configs13(t, tc26256A, cryptoProA)
	client.CurvePreferences = []*gost3410.Curve{gost3410.TC26256A(), gost3410.TC26512C(), gost3410.CryptoProA()}
	server.CurvePreferences = []*gost3410.Curve{gost3410.TC26512C(), gost3410.CryptoProA()}
	return client, server
}

// A server asks for the first of its curves that the client can use, if the client sent
// no key for any; and takes one for which there is a key before that.
func TestRetry13(t *testing.T) {
	clientConfig, serverConfig := retrying(t)
	client, server := connected(t, clientConfig, serverConfig)
	for _, c := range []*Conn{client, server} {
		if got := c.ConnectionState().Group; got != gost3410.TC26512C() {
			t.Errorf("group %v", got)
		}
	}
	exchange(t, client, server)
	clientConfig.CurvePreferences = []*gost3410.Curve{gost3410.CryptoProA(), gost3410.TC26512C()}
	client, _ = connected(t, clientConfig, serverConfig)
	if got := client.ConnectionState().Group; got != gost3410.CryptoProA() {
		t.Errorf("group %v, although there was a key for another", got)
	}
	serverConfig.CurvePreferences = []*gost3410.Curve{gost3410.CryptoProB()}
	client, server = connPair(t, clientConfig, serverConfig)
	clientErr, serverErr := shake(client, server)
	wantRefusal(t, wire.AlertHandshakeFailure, serverErr, clientErr)
	if !errors.Is(serverErr, ErrNoSharedSuite) {
		t.Errorf("refused with %v", serverErr)
	}
}

// retryWith is a server that answers the first hello with the given HelloRetryRequest,
// and the second with another.
func retryWith(t *testing.T, answers ...*message.Answer13) (clientErr, serverErr error) {
	t.Helper()
	client, server := retrying(t)
	server.CurvePreferences = nil
	return attackClient13(t, client, server, func(hs *serverHandshake13) []step {
		steps := []step{hs.checkHello, hs.chooseParameters}
		for i, answer := range answers {
			steps = append(steps, func() error {
				if i == 0 {
					hs.transcript.retry(nil)
				}
				if err := hs.sendAnswer(message.RetryRandom, answer); err != nil {
					return err
				}
				return hs.out.Flush()
			}, func() error { _, err := hs.read(message.TypeClientHello); return err })
		}
		return steps
	})
}

func TestRetryRefused13(t *testing.T) {
	version := VersionTLS13
	for name, test := range map[string]struct {
		answers []*message.Answer13
		alert   Alert
	}{
		"nothing to change":     {[]*message.Answer13{{Version: version}}, wire.AlertIllegalParameter},
		"a key that was there":  {[]*message.Answer13{{Version: version, Group: 34}}, wire.AlertIllegalParameter},
		"a group not offered":   {[]*message.Answer13{{Version: version, Group: 36}}, wire.AlertIllegalParameter},
		"an unknown group":      {[]*message.Answer13{{Version: version, Group: 29}}, wire.AlertIllegalParameter},
		"no version":            {[]*message.Answer13{{Group: 40}}, wire.AlertIllegalParameter},
		"TLS 1.2":               {[]*message.Answer13{{Version: VersionTLS12, Group: 40}}, wire.AlertIllegalParameter},
		"a pre-shared key":      {[]*message.Answer13{{Version: version, Group: 40, PSK: new(uint16)}}, wire.AlertUnsupportedExtension},
		"twice":                 {[]*message.Answer13{{Version: version, Group: 40}, {Version: version, Group: 35}}, wire.AlertUnexpectedMessage},
		"twice, with a cookie":  {[]*message.Answer13{{Version: version, Cookie: []byte("c")}, {Version: version, Group: 40}}, wire.AlertUnexpectedMessage},
		"twice the same":        {[]*message.Answer13{{Version: version, Group: 40}, {Version: version, Group: 40}}, wire.AlertUnexpectedMessage},
		"a cookie, then cookie": {[]*message.Answer13{{Version: version, Cookie: []byte("c")}, {Version: version, Cookie: []byte("d")}}, wire.AlertUnexpectedMessage},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := retryWith(t, test.answers...)
			wantRefusal(t, test.alert, c, s)
		})
	}
}

// The suite of a HelloRetryRequest is that of the connection (RFC 8446, Section 4.1.4),
// though the client offers others.
func TestSuiteAfterRetry13(t *testing.T) {
	client, server := retrying(t)
	other, ok := record.SuiteByID(MagmaMGML)
	if !ok {
		t.Fatal("no suite")
	}
	c, s := attackClient13(t, client, server, func(hs *serverHandshake13) []step {
		return append(before(honestServer13(hs)[:atServerFinish13+1], atServerHello13, func() error {
			if hs.suite.ID == other.ID || !slices.Contains(hs.clientHello.CipherSuites, other.ID) {
				t.Errorf("suite %#04x", hs.suite.ID)
			}
			hs.suite = other
			return nil
		}), func() error { _, _, err := hs.in.Next(); return err })
	})
	wantRefusal(t, wire.AlertIllegalParameter, c, s)
}

// A cookie comes back as it was, and the rest of the hello does not change.
func TestCookie13(t *testing.T) {
	for _, group := range []uint16{0, 40} {
		client, server := retrying(t)
		server.CurvePreferences = []*gost3410.Curve{gost3410.TC26256A(), gost3410.TC26512C()}
		cookie := bytes.Repeat([]byte("cookie"), 100)
		c, s := attackClient13(t, client, server, func(hs *serverHandshake13) []step {
			first := hs.clientHello
			return with(honestServer13(hs), atRetry13, func() error {
				hs.transcript.retry(nil)
				err := hs.sendAnswer(message.RetryRandom, &message.Answer13{Version: VersionTLS13, Cookie: cookie, Group: group})
				if err := errors.Join(err, hs.out.Flush()); err != nil {
					return err
				}
				body, err := hs.read(message.TypeClientHello)
				if err != nil {
					return err
				}
				if hs.clientHello, err = message.ParseClientHello(body); err != nil {
					return err
				}
				if err := hs.checkHello(); err != nil {
					return err
				}
				if !bytes.Equal(hs.offer.Cookie, cookie) || !hs.clientHello.SameButRetried(first) {
					t.Errorf("second hello with cookie %q", hs.offer.Cookie)
				}
				if group != 0 {
					hs.curve = gost3410.TC26512C()
				}
				hs.share = hs.shareFor(hs.curve)
				return nil
			})
		})
		if c != nil || s != nil {
			t.Errorf("client %v, server %v", c, s)
		}
	}
}

// The second hello is the first one, but for what may change.
func TestSecondHello13(t *testing.T) {
	client, server := retrying(t)
	for name, test := range map[string]struct {
		change func(h *message.ClientHello)
		alert  Alert
	}{
		"another random":     {func(h *message.ClientHello) { h.Random[0] ^= 1 }, wire.AlertIllegalParameter},
		"another session id": {func(h *message.ClientHello) { h.SessionID = nil }, wire.AlertIllegalParameter},
		"fewer suites":       {func(h *message.ClientHello) { h.CipherSuites = h.CipherSuites[:2] }, wire.AlertIllegalParameter},
		"another version":    {func(h *message.ClientHello) { h.Version = VersionTLS11 }, wire.AlertIllegalParameter},
		"another name":       {func(h *message.ClientHello) { h.Set(message.ServerName("other.example")) }, wire.AlertIllegalParameter},
		"fewer groups":       {func(h *message.ClientHello) { h.Set(message.SupportedGroups([]uint16{34, 40})) }, wire.AlertIllegalParameter},
		"more extensions":    {func(h *message.ClientHello) { h.Set(message.Extension{Type: 999}) }, wire.AlertIllegalParameter},
		"early data":         {func(h *message.ClientHello) { h.Set(message.Extension{Type: message.ExtEarlyData}) }, wire.AlertIllegalParameter},
		"a cookie unasked":   {func(h *message.ClientHello) { h.Set(message.Cookie([]byte("c"))) }, wire.AlertIllegalParameter},
		"no key":             {func(h *message.ClientHello) { h.Set(message.KeyShares(nil)) }, wire.AlertIllegalParameter},
		"the key of before":  {func(h *message.ClientHello) { h.Set(keyShareOf(mustKey(t, gost3410.TC26256A()))) }, wire.AlertIllegalParameter},
		"two keys":           {func(h *message.ClientHello) { h.Set(twoShares(t)) }, wire.AlertIllegalParameter},
		"TLS 1.3 gone":       {func(h *message.ClientHello) { h.Set(message.SupportedVersions([]uint16{VersionTLS12})) }, wire.AlertIllegalParameter},
		"compression":        {func(h *message.ClientHello) { h.Compressions = []byte{0, 1} }, wire.AlertIllegalParameter},
		"schemes gone":       {func(h *message.ClientHello) { remove(h, message.ExtSignatureAlgorithms) }, wire.AlertIllegalParameter},
		"key share gone":     {func(h *message.ClientHello) { remove(h, message.ExtKeyShare) }, wire.AlertMissingExtension},
		"padding, which may": {func(h *message.ClientHello) {
			h.Set(message.Extension{Type: message.ExtPadding, Data: make([]byte, 9)})
		}, 0},
		"nothing is changed":  {func(*message.ClientHello) {}, 0},
		"another of the kind": {func(h *message.ClientHello) { h.Set(message.Extension{Type: message.ExtPSKModes, Data: []byte{1, 0}}) }, wire.AlertIllegalParameter},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := attackServer13(t, client, server, nil, func(hs *clientHandshake13) []step {
				steps := honest13(hs)
				steps[1] = func() error { return hs.retryChanged(test.change) }
				return steps
			})
			if test.alert == 0 {
				if c != nil || s != nil {
					t.Errorf("client %v, server %v", c, s)
				}
				return
			}
			wantRefusal(t, test.alert, s, c)
		})
	}
}

// retryChanged is retryHello with a second hello that f has changed.
func (hs *clientHandshake13) retryChanged(f func(h *message.ClientHello)) error {
	hs.retryOf = hs.answer
	hs.transcript.retry(hs.answer.Marshal())
	if err := hs.changeHello(); err != nil {
		return err
	}
	f(hs.hello)
	return inOrder(hs.queueCCS, func() error { return hs.send(hs.hello.Marshal()) }, hs.out.Flush, hs.readAnswer, hs.checkAnswer)
}

func mustKey(t testing.TB, c *gost3410.Curve) *gost3410.PrivateKey {
	t.Helper()
	key, err := gost3410.GenerateKey(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func twoShares(t testing.TB) message.Extension {
	t.Helper()
	var shares []message.KeyShare
	for _, c := range []*gost3410.Curve{gost3410.TC26512C(), gost3410.CryptoProA()} {
		shares = append(shares, message.KeyShare{Group: group(c), Key: mustKey(t, c).PublicKey().Bytes()})
	}
	return message.KeyShares(shares)
}

// remove takes an extension out of a hello.
func remove(h *message.ClientHello, typ uint16) {
	h.Extensions = slices.DeleteFunc(h.Extensions, func(e message.Extension) bool { return e.Type == typ })
}

// What a server of TLS 1.3 does not take for a hello.
func TestHellosRefused13(t *testing.T) {
	client, server := configs13(t, tc26256A, tc26256A)
	share := func(groups ...uint16) message.Extension {
		var shares []message.KeyShare
		for _, id := range groups {
			shares = append(shares, message.KeyShare{Group: id, Key: make([]byte, 64)})
		}
		return message.KeyShares(shares)
	}
	psks := &message.PreSharedKeys{Identities: []message.Identity{{Ticket: []byte("t")}}, Binders: [][]byte{make([]byte, 32)}}
	for name, test := range map[string]struct {
		change func(h *message.ClientHello)
		alert  Alert
	}{
		"no groups":            {func(h *message.ClientHello) { remove(h, message.ExtSupportedGroups) }, wire.AlertMissingExtension},
		"no schemes":           {func(h *message.ClientHello) { remove(h, message.ExtSignatureAlgorithms) }, wire.AlertMissingExtension},
		"no key share":         {func(h *message.ClientHello) { remove(h, message.ExtKeyShare) }, wire.AlertMissingExtension},
		"compression":          {func(h *message.ClientHello) { h.Compressions = []byte{1, 0} }, wire.AlertIllegalParameter},
		"more compression":     {func(h *message.ClientHello) { h.Compressions = []byte{0, 1} }, wire.AlertIllegalParameter},
		"share of other group": {func(h *message.ClientHello) { h.Set(message.SupportedGroups([]uint16{35})) }, wire.AlertIllegalParameter},
		"two shares of one":    {func(h *message.ClientHello) { h.Set(share(34, 34)) }, wire.AlertIllegalParameter},
		"other groups only": {func(h *message.ClientHello) {
			h.Set(message.SupportedGroups([]uint16{29, 23}))
			h.Set(share(29))
		}, wire.AlertHandshakeFailure},
		"schemes of others":  {func(h *message.ClientHello) { h.Set(message.SignatureAlgorithms([]uint16{0x0403, 0x0840})) }, wire.AlertHandshakeFailure},
		"scheme of a curve":  {func(h *message.ClientHello) { h.Set(message.SignatureAlgorithms([]uint16{0x070a})) }, wire.AlertHandshakeFailure},
		"keys without modes": {func(h *message.ClientHello) { remove(h, message.ExtPSKModes); h.Set(psks.Extension()) }, wire.AlertMissingExtension},
		"keys not last": {func(h *message.ClientHello) {
			h.Set(psks.Extension())
			h.Set(message.Extension{Type: 999})
		}, wire.AlertIllegalParameter},
		"binders missing": {func(h *message.ClientHello) {
			h.Set((&message.PreSharedKeys{Identities: append(psks.Identities, psks.Identities...), Binders: psks.Binders}).Extension())
		}, wire.AlertIllegalParameter},
		"short binder": {func(h *message.ClientHello) {
			h.Set((&message.PreSharedKeys{Identities: psks.Identities, Binders: [][]byte{make([]byte, 31)}}).Extension())
		}, wire.AlertDecodeError},
		"malformed share": {func(h *message.ClientHello) {
			h.Set(message.Extension{Type: message.ExtKeyShare, Data: []byte{0, 1, 0}})
		}, wire.AlertDecodeError},
		"empty early data with data": {func(h *message.ClientHello) {
			h.Set(message.Extension{Type: message.ExtEarlyData, Data: []byte{0}})
		}, wire.AlertDecodeError},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := attackServer13(t, client, server, func(hs *clientHandshake) { test.change(hs.hello) }, honest13)
			wantRefusal(t, test.alert, s, c)
		})
	}
}

// What a client does not take for an answer.
func TestServerHellosRefused13(t *testing.T) {
	client, server := configs13(t, tc26256A, tc26256A)
	for name, test := range map[string]struct {
		change func(h *message.ServerHello, a *message.Answer13)
		alert  Alert
	}{
		"version":             {func(h *message.ServerHello, _ *message.Answer13) { h.Version = VersionTLS13 }, wire.AlertIllegalParameter},
		"version of TLS 1.2":  {func(_ *message.ServerHello, a *message.Answer13) { a.Version = VersionTLS12 }, wire.AlertIllegalParameter},
		"unknown version":     {func(_ *message.ServerHello, a *message.Answer13) { a.Version = 0x7f1c }, wire.AlertIllegalParameter},
		"session id":          {func(h *message.ServerHello, _ *message.Answer13) { h.SessionID = make([]byte, 32) }, wire.AlertIllegalParameter},
		"no session id":       {func(h *message.ServerHello, _ *message.Answer13) { h.SessionID = nil }, wire.AlertIllegalParameter},
		"compression":         {func(h *message.ServerHello, _ *message.Answer13) { h.Compression = 1 }, wire.AlertIllegalParameter},
		"suite of TLS 1.2":    {func(h *message.ServerHello, _ *message.Answer13) { h.CipherSuite = KuznyechikCTROMAC }, wire.AlertIllegalParameter},
		"suite not offered":   {func(h *message.ServerHello, _ *message.Answer13) { h.CipherSuite = 0x1301 }, wire.AlertIllegalParameter},
		"no key share":        {func(_ *message.ServerHello, a *message.Answer13) { a.Share = nil }, wire.AlertMissingExtension},
		"key share of others": {func(_ *message.ServerHello, a *message.Answer13) { a.Share.Group = 35 }, wire.AlertIllegalParameter},
		"pre-shared key":      {func(_ *message.ServerHello, a *message.Answer13) { a.PSK = new(uint16) }, wire.AlertUnsupportedExtension},
		"cookie":              {func(_ *message.ServerHello, a *message.Answer13) { a.Cookie = []byte("c") }, wire.AlertUnsupportedExtension},
		"extended master":     {func(h *message.ServerHello, _ *message.Answer13) { h.Extensions = []message.Extension{{Type: 23}} }, wire.AlertIllegalParameter},
		"not offered":         {func(h *message.ServerHello, _ *message.Answer13) { h.Extensions = []message.Extension{{Type: 999}} }, wire.AlertUnsupportedExtension},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := attackClient13(t, client, server, func(hs *serverHandshake13) []step {
				return with(honestServer13(hs), atServerHello13, func() error {
					h := &message.ServerHello{Version: VersionTLS12, Random: [32]byte{1}, SessionID: hs.clientHello.SessionID, CipherSuite: hs.suite.ID}
					a := &message.Answer13{Version: VersionTLS13, Share: &message.KeyShare{Group: group(hs.curve), Key: make([]byte, 64)}}
					test.change(h, a)
					h.Extensions = append(h.Extensions, a.Extensions()...)
					return errors.Join(hs.send(h.Marshal()), hs.out.Flush(), hs.expectAlert())
				})
			})
			wantRefusal(t, test.alert, c, s)
		})
	}
}

// What a client does not take for EncryptedExtensions, CertificateRequest and
// Certificate.
func TestServerFlightRefused13(t *testing.T) {
	client, server := configs13(t, tc26256A, tc26256A)
	client.ServerName = "gost.example"
	chain := server.Certificates[0].Chain
	request := func(context []byte, extensions ...message.Extension) []byte {
		return (&message.CertificateRequest13{Context: context, Extensions: extensions}).Marshal()
	}
	certificate := func(context []byte, entries ...message.CertificateEntry) []byte {
		return (&message.Certificate13{Context: context, Entries: entries}).Marshal()
	}
	parameters := func(types ...uint16) []byte {
		m := new(message.EncryptedExtensions)
		for _, typ := range types {
			m.Extensions = append(m.Extensions, message.Extension{Type: typ})
		}
		return m.Marshal()
	}
	for name, test := range map[string]struct {
		messages [][]byte
		alert    Alert
	}{
		"extension not offered":      {[][]byte{parameters(16)}, wire.AlertUnsupportedExtension},
		"extension of ServerHello":   {[][]byte{parameters(message.ExtKeyShare)}, wire.AlertIllegalParameter},
		"extension of TLS 1.2":       {[][]byte{parameters(23)}, wire.AlertIllegalParameter},
		"extension twice":            {[][]byte{parameters(0, 0)}, wire.AlertIllegalParameter},
		"early data":                 {[][]byte{parameters(message.ExtEarlyData)}, wire.AlertUnsupportedExtension},
		"no schemes in request":      {[][]byte{parameters(0), request(nil)}, wire.AlertMissingExtension},
		"request with context":       {[][]byte{parameters(10), request([]byte("c"), message.SignatureAlgorithms(schemes13()))}, wire.AlertIllegalParameter},
		"empty chain":                {[][]byte{parameters(), certificate(nil)}, wire.AlertDecodeError},
		"chain with context":         {[][]byte{parameters(), certificate([]byte("c"), message.CertificateEntry{DER: chain[0]})}, wire.AlertIllegalParameter},
		"extensions of certificates": {[][]byte{parameters(), certificate(nil, message.CertificateEntry{DER: chain[0], Extensions: []message.Extension{{Type: 5}}})}, wire.AlertUnsupportedExtension},
		"no certificate":             {[][]byte{parameters(), certificate(nil, message.CertificateEntry{DER: []byte("certificate")})}, wire.AlertUnsupportedCertificate},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := attackClient13(t, client, server, func(hs *serverHandshake13) []step {
				steps := honestServer13(hs)[:atParameters13:atParameters13]
				for _, raw := range test.messages {
					steps = append(steps, func() error { return hs.send(raw) })
				}
				return append(steps, hs.out.Flush, func() error { _, _, err := hs.in.Next(); return err })
			})
			wantRefusal(t, test.alert, c, s)
		})
	}
}
