package gosttls

import (
	"fmt"
	"slices"
	"testing"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/wire"
)

// Messages of TLS 1.2 come in one order only. The tests of this file send them in every
// other one, and every message that there is in every place where it does not belong.

// A turn is a message of a peer in a handshake, or its ChangeCipherSpec.
type turn struct {
	typ  message.Type // typeCCS for ChangeCipherSpec
	send step
}

// typeCCS stands for ChangeCipherSpec, which is not a handshake message.
const typeCCS = message.TypeMessageHash // never on the wire

// all returns what sends the turns with the given numbers.
func all(turns []turn, numbers []int) (steps []step) {
	for _, i := range numbers {
		steps = append(steps, turns[i].send)
	}
	return steps
}

// A foreigner is something that a peer may send where it does not belong.
type foreigner struct {
	name string
	typ  message.Type
	send func(out *wire.Output) error
}

// foreigners returns messages of all types, and records of other types.
func foreigners() (list []foreigner) {
	for _, typ := range foreignTypes {
		if typ != typeCCS {
			list = append(list, foreigner{fmt.Sprintf("message %d", typ), typ, func(out *wire.Output) error {
				return out.Queue(wire.TypeHandshake, foreign(typ))
			}})
		}
	}
	for _, rec := range []wire.RecordType{19, wire.TypeChangeCipherSpec, wire.TypeApplicationData, 24} {
		typ := message.Type(255)
		if rec == wire.TypeChangeCipherSpec {
			typ = typeCCS
		}
		list = append(list, foreigner{fmt.Sprintf("record %d", rec), typ, func(out *wire.Output) error { return out.Queue(rec, []byte{1}) }})
	}
	return list
}

// untilError reads until the peer has said what it thinks.
func untilError(in *wire.Input) step {
	return func() error {
		for {
			if _, _, err := in.Next(); err != nil {
				return err
			}
		}
	}
}

// turnsOfClient returns what a client sends after the server's flight.
func turnsOfClient(hs *clientHandshake, auth ClientAuth) []turn {
	certificate := turn{message.TypeCertificate, hs.sendCertificate}
	exchange := turn{message.TypeClientKeyExchange, hs.sendClientKeyExchange}
	verify := turn{message.TypeCertificateVerify, func() error {
		m, err := hs.sign(hs.config.Certificates[0], message.SchemeGOST256)
		if err != nil {
			return err
		}
		return hs.send(m.Marshal())
	}}
	ccs := turn{typeCCS, hs.out.QueueChangeCipherSpec}
	finished := turn{message.TypeFinished, func() error { return hs.send(hs.finished(clientFinished, hs.transcript).Marshal()) }}
	switch auth {
	case NoClientCert:
		return []turn{exchange, ccs, finished}
	case RequestClientCert: // and the client has none
		certificate.send = func() error { return hs.send((&message.Certificate{}).Marshal()) }
		return []turn{certificate, exchange, ccs, finished}
	}
	return []turn{certificate, exchange, verify, ccs, finished}
}

func TestWrongOrderClient(t *testing.T) {
	clientConfig, serverConfig := mutual(t, tc26256A, tc26256A)
	for _, suite := range []uint16{MagmaCTROMAC, LegacyCNTIMIT} {
		for auth, turns := range map[ClientAuth]int{NoClientCert: 3, RequestClientCert: 4, RequireAnyClientCert: 5} {
			client, server := *clientConfig, *serverConfig
			client.CipherSuites, server.CipherSuites, server.ClientAuth = []uint16{suite}, []uint16{suite}, auth
			try := func(name string, flight func(hs *clientHandshake, turns []turn) []step) {
				t.Helper()
				c, s := attackServer(t, &client, &server, func(hs *clientHandshake) []step {
					return slices.Concat(honest(hs)[:atCertificate], flight(hs, turnsOfClient(hs, auth)), []step{hs.out.Flush, untilError(&hs.in)})
				})
				wantRefusal(t, wire.AlertUnexpectedMessage, s, c)
				if t.Failed() {
					t.Fatalf("%#04x, mode %d, %s", suite, auth, name)
				}
			}
			sequences(turns, func(numbers []int) {
				try(fmt.Sprint(numbers), func(_ *clientHandshake, turns []turn) []step { return all(turns, numbers) })
			})
			for at := range turns {
				for _, f := range foreigners() {
					if turnsOfClient(newClientHandshake(Client(nil, nil)), auth)[at].typ == f.typ {
						continue
					}
					try(fmt.Sprintf("%s at %d", f.name, at), func(hs *clientHandshake, turns []turn) []step {
						return append(all(turns[:at], count(at)), func() error { return f.send(&hs.out) })
					})
				}
			}
		}
	}
}

// count returns the numbers below n.
func count(n int) (numbers []int) {
	for i := range n {
		numbers = append(numbers, i)
	}
	return numbers
}

// turnsOfServer returns what a server sends, and reads meanwhile.
func turnsOfServer(hs *serverHandshake, asks bool) []turn {
	sending := func(raw func() []byte) step {
		return func() error { return hs.send(raw()) }
	}
	hello := turn{message.TypeServerHello, sending(func() []byte { return hs.hello.Marshal() })}
	certificate := turn{message.TypeCertificate, sending(func() []byte { return (&message.Certificate{Chain: hs.cert.Chain}).Marshal() })}
	request := turn{message.TypeCertificateRequest, sending(func() []byte { return newCertificateRequest(hs.version, hs.suite).Marshal() })}
	done := turn{message.TypeServerHelloDone, sending(message.ServerHelloDone)}
	ccs := turn{typeCCS, func() error { return hs.out.QueueChangeCipherSpec() }}
	finished := turn{message.TypeFinished, sending(func() []byte { return hs.finished(serverFinished, hs.transcript).Marshal() })}
	if asks {
		return []turn{hello, certificate, request, done, ccs, finished}
	}
	return []turn{hello, certificate, done, ccs, finished}
}

func TestWrongOrderServer(t *testing.T) {
	clientConfig, serverConfig := mutual(t, tc26256A, tc26256A)
	for _, suite := range []uint16{MagmaCTROMAC, LegacyCNTIMIT} {
		for _, asks := range []bool{true, false} {
			client, server := *clientConfig, *serverConfig
			client.CipherSuites, server.CipherSuites = []uint16{suite}, []uint16{suite}
			if !asks {
				server.ClientAuth = NoClientCert
			}
			types := turnsOfServer(newServerHandshake(Server(nil, nil)), asks)
			right := len(types) - 3 // ServerHelloDone, after which the client sends its flight
			try := func(name string, numbers []int, last step, hs **serverHandshake) {
				t.Helper()
				c, s := attackClient(t, &client, &server, func(own *serverHandshake) []step {
					*hs = own
					steps := honestServer(own)[:atFlight:atFlight]
					turns := turnsOfServer(own, asks)
					for i, number := range numbers {
						steps = append(steps, turns[number].send)
						if i == right && number == right {
							steps = append(steps, own.out.Flush, own.awaitClientFlight,
								own.readClientCertificate, own.readClientKeyExchange, own.readCertificateVerify, own.readClientFinished)
						}
					}
					return append(steps, last, own.out.Flush, untilError(&own.in))
				})
				wantRefusal(t, wire.AlertUnexpectedMessage, c, s)
				if t.Failed() {
					t.Fatalf("%#04x, asks %v, %s", suite, asks, name)
				}
			}
			var hs *serverHandshake
			nothing := func() error { return nil }
			sequences(len(types), func(numbers []int) {
				if asks && len(numbers) == 3 && numbers[2] == 3 {
					return // the request is optional
				}
				try(fmt.Sprint(numbers), numbers, nothing, &hs)
			})
			for at := range types {
				for _, f := range foreigners() {
					optional := types[at].typ == message.TypeServerHelloDone && f.typ == message.TypeCertificateRequest && !asks ||
						types[at].typ == message.TypeCertificateRequest && f.typ == message.TypeServerHelloDone
					if types[at].typ != f.typ && !optional {
						try(fmt.Sprintf("%s at %d", f.name, at), count(at), func() error { return f.send(&hs.out) }, &hs)
					}
				}
			}
		}
	}
}
