package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/pprof"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls"
	"propusk/gost/spki"
	"propusk/gost/streebog"
)

// serve is the role of our server: it listens for all GOST keys, prints the addresses
// in one line, and serves until it is interrupted.
func serve(ctx context.Context, o options) error {
	dir := o.dir
	if o.profile != "" {
		file, err := os.Create(o.profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	addrs := map[string]string{}
	cache := gost3410.NewKeyCache(256)
	failed := make(chan error, len(endpointKinds())*len(keyKinds()))
	for _, k := range keyKinds() {
		if k.name == "P-256" {
			continue
		}
		for _, kind := range endpointKinds() {
			config, err := serverConfig(dir, k, cache)
			if err != nil {
				return err
			}
			switch kind {
			case again:
				config.KeyCache = cache
			case resumed:
				config.SessionTickets = new(gosttls.TicketKeys)
			}
			inner, err := (&net.ListenConfig{KeepAlive: -1}).Listen(ctx, "tcp", "127.0.0.1:0") // as nginx
			if err != nil {
				return err
			}
			addrs[endpoint(k.name, kind)] = inner.Addr().String()
			s := &http.Server{
				Handler:     http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, bulkFile(dir)) }),
				ConnContext: gosttls.ConnContext,
				ErrorLog:    slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // clients leave without a request

				ReadHeaderTimeout: time.Minute,
			}
			l := gosttls.NewListener(inner, config, new(tls.Config))
			go func() { failed <- s.Serve(l) }()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(addrs); err != nil {
		return err
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// allSuites are the suites of our server; the client offers one.
func allSuites() []uint16 {
	return []uint16{0xc100, 0xc101, 0xc102, 0xc103, 0xc104, 0xc105, 0xc106}
}

// serverConfig is the server with keys of a kind. It asks for a certificate of the CA of
// that kind.
func serverConfig(dir string, k keyKind, cache *gost3410.KeyCache) (*gosttls.Config, error) {
	cert, err := readPair(dir, "server", k.name)
	if err != nil {
		return nil, err
	}
	ca, err := readPair(dir, "ca", k.ca)
	if err != nil {
		return nil, err
	}
	info, err := spki.FromCertificate(ca.Chain[0])
	if err != nil {
		return nil, err
	}
	return &gosttls.Config{
		Certificates: []gosttls.Certificate{cert},
		CipherSuites: allSuites(),
		ClientAuth:   gosttls.RequireAnyClientCert,
		VerifyPeer: func(s gosttls.ConnectionState) error {
			if s.Resumed {
				return nil // nginx takes the result out of the session too
			}
			return checkLeaf(s.PeerCertificates[0], info.Key, cache, time.Now())
		},
	}, nil
}

// readPair reads a certificate and its key.
func readPair(dir, side, name string) (gosttls.Certificate, error) {
	certPEM, err := os.ReadFile(certFile(dir, side, name))
	if err != nil {
		return gosttls.Certificate{}, err
	}
	keyPEM, err := os.ReadFile(keyFile(dir, side, name))
	if err != nil {
		return gosttls.Certificate{}, err
	}
	return gosttls.ParseKeyPair(certPEM, keyPEM)
}

// checkLeaf checks what nginx checks of a certificate right below a CA: the signature
// and the time.
func checkLeaf(der []byte, ca *gost3410.PublicKey, cache *gost3410.KeyCache, now time.Time) error {
	outer, whole := cryptobyte.String(der), cryptobyte.String{}
	var signed, skipped, fields, validity cryptobyte.String
	var sig []byte
	var notBefore, notAfter time.Time
	if !outer.ReadASN1(&whole, asn1.SEQUENCE) || !whole.ReadASN1Element(&signed, asn1.SEQUENCE) ||
		!whole.ReadASN1(&skipped, asn1.SEQUENCE) || !whole.ReadASN1BitStringAsBytes(&sig) {
		return errors.New("malformed certificate")
	}
	inner := signed
	if !inner.ReadASN1(&fields, asn1.SEQUENCE) ||
		!fields.SkipOptionalASN1(asn1.Tag(0).ContextSpecific().Constructed()) || !fields.SkipASN1(asn1.INTEGER) ||
		!fields.SkipASN1(asn1.SEQUENCE) || !fields.SkipASN1(asn1.SEQUENCE) || !fields.ReadASN1(&validity, asn1.SEQUENCE) ||
		!validity.ReadASN1UTCTime(&notBefore) || !validity.ReadASN1UTCTime(&notAfter) {
		return errors.New("malformed certificate")
	}
	if now.Before(notBefore) || now.After(notAfter) {
		return errors.New("certificate expired")
	}
	h := streebog.New256()
	if ca.Curve().Size() == 64 {
		h = streebog.New512()
	}
	h.Write(signed)
	if !cache.Verify(ca, h.Sum(nil), sig) {
		return fmt.Errorf("certificate is not signed by the CA")
	}
	return nil
}
