package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
)

// publisher signs the lists of the measurements.
type publisher struct {
	key  *gost3410.PrivateKey
	cert *gostx509.Certificate
}

func newPublisher() (publisher, error) {
	key, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
	if err != nil {
		return publisher{}, err
	}
	der, err := gostx509.Create(nil, gostx509.Template{
		Subject:   gostx509.Name{{Type: gostx509.OIDCommonName, Text: "Издатель списков Вымышленный"}},
		NotBefore: countryDate().AddDate(-1, 0, 0), NotAfter: countryDate().AddDate(10, 0, 0),
		IsCA: true, MaxPathLen: -1, KeyUsage: gostx509.KeyUsageCertSign | gostx509.KeyUsageCRLSign,
	}, nil, key.Public(), key)
	if err != nil {
		return publisher{}, err
	}
	cert, err := gostx509.Parse(der)
	return publisher{key, cert}, err
}

// revokedSerial is the serial number of an entry: 17 bytes, as that of most CAs.
func revokedSerial(i int) []byte {
	h := sha256.Sum256(binary.BigEndian.AppendUint32(nil, uint32(i)))
	return append([]byte{1}, h[:16]...)
}

// revocationList makes a list of n entries of 50 bytes.
func revocationList(n int) ([]byte, error) {
	p, err := newPublisher()
	if err != nil {
		return nil, err
	}
	t := crl.Template{Number: 1, ThisUpdate: countryDate(), NextUpdate: countryDate().Add(24 * time.Hour)}
	for i := range n {
		t.Entries = append(t.Entries, crl.Entry{
			Serial: revokedSerial(i), RevokedAt: countryDate().Add(-time.Duration(1+i) * time.Second), Reason: crl.Superseded,
		})
	}
	return crl.Create(nil, t, p.cert, p.key)
}

// lists measures revocation lists: what it takes to read one, how much is kept of it,
// and how long a look-up takes.
func lists(_ context.Context, s setup) ([]*row, error) {
	n := 1_000_000
	if s.short {
		n = 50_000
	}
	der, err := revocationList(n)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(s.dir, "list.crl")
	if err := os.WriteFile(file, der, 0o600); err != nil {
		return nil, err
	}
	list, err := crl.Parse(der)
	if err != nil {
		return nil, err
	}
	// Without a signature algorithm that is known nothing is hashed but the fingerprint.
	plain := bytes.ReplaceAll(der, []byte("\x2a\x85\x03\x07\x01\x01\x03\x02"), []byte("\x2a\x85\x03\x07\x01\x01\x03\x7f"))
	name := fmt.Sprintf("CRL of %d entries, %.1f MB", n, float64(len(der))/1e6)
	read := loop(func() error { _, err := crl.Parse(plain); return err })
	fingerprint := loop(func() error { sha256.Sum256(plain); return nil })
	return []*row{
		{name: name + ": read, besides hashes", ours: difference(read, fingerprint), peer: s.library.measure("crl", file), goal: atMost(100e6)},
		{name: name + ": read from a connection, with hashes", ours: loop(func() error { _, err := crl.Read(bytes.NewReader(der)); return err })},
		{name: name + ": what is kept", unit: bytesUsed, ours: fixed(func() (float64, error) { return keptOf(der) }), goal: atMost(20e6)},
		{name: name + ": look-up, in the cache of the processor", ours: lookup(list, min(n, 1<<10)), peer: s.library.measure("lookup", file), goal: atMost(100)},
		{name: name + ": look-up, anywhere", ours: lookup(list, min(n, 1<<16))},
	}, nil
}

// difference measures what a takes more than b.
func difference(a, b measure) measure {
	return func(ctx context.Context, each time.Duration) (float64, error) {
		whole, err := a(ctx, each)
		if err != nil {
			return 0, err
		}
		part, err := b(ctx, each)
		return whole - part, err
	}
}

// keptOf is how much memory a list takes once it was read.
func keptOf(der []byte) (float64, error) {
	before := heap()
	list, err := crl.Parse(der)
	kept := heap() - before
	runtime.KeepAlive(list)
	runtime.KeepAlive(der)
	return kept, err
}

// heap is how many bytes are in use.
func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// lookup measures look-ups of so many serial numbers in turn.
func lookup(list *crl.List, n int) measure {
	serials := make([][]byte, n)
	step := list.Len() / n
	for i := range serials {
		serials[i] = revokedSerial(i * step)
	}
	next := 0
	return loop(func() error {
		next = (next + 1) % n
		if _, found := list.Lookup(serials[next]); !found {
			return errors.New("a revoked certificate is not found")
		}
		return nil
	})
}
