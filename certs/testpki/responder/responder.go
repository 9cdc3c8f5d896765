// Package responder answers for the services of a demo country at the addresses that
// its certificates name: revocation lists and CA certificates (RFC 5280, Sections
// 4.2.1.13 and 4.2.2.1), OCSP (RFC 6960), time-stamps (RFC 3161) and the list of
// accredited CAs. It is for propusk demo and tests: the keys lie on disk.
package responder

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"propusk/certs/testpki"
	"propusk/gost/gost3410"
	"propusk/gost/pkcs8"
	"propusk/pki/der"
	"propusk/pki/gostx509"
	"propusk/pki/tsp"
)

// policy is the one under which the authority makes time-stamps. The arc is nobody's.
func policy() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 643, 7, 99, 1} }

// accuracy is that of the clock of the time-stamping authority.
const accuracy = time.Second

// Responder answers over HTTP for one country. It is safe for concurrent use.
//
// Revocation lists and the list of accredited CAs are read from the disk at every
// request, so one that is replaced there is what everybody gets, OCSP included.
type Responder struct {
	now         func() time.Time
	tsl         string // name of the file
	authorities []authority
	tsa         *tsp.Authority
	mux         *http.ServeMux
}

// authority is a CA with its OCSP responder.
type authority struct {
	id   string
	cert *gostx509.Certificate
	crl  string // name of the file

	responder *gostx509.Certificate
	key       *gost3410.PrivateKey
}

// Prefixes are those of the paths that a Responder is to be asked for.
func Prefixes() []string {
	return []string{testpki.CRLPath, testpki.CertificatePath, testpki.OCSPPath, testpki.TSAPath, testpki.TSLPath}
}

// Open reads the country that testpki wrote; its paths must be joined to where it is,
// see Manifest.In. The clock is that of all answers.
func Open(m testpki.Manifest, now func() time.Time) (*Responder, error) {
	r := &Responder{now: now, tsl: m.Trust.TSL, mux: http.NewServeMux()}
	for _, f := range m.Services.Authorities {
		a := authority{id: f.ID, crl: f.CRL}
		if err := a.read(f); err != nil {
			return nil, fmt.Errorf("responder: %s: %w", f.ID, err)
		}
		r.authorities = append(r.authorities, a)
	}
	if err := r.readTSA(m.Services.TSA); err != nil {
		return nil, fmt.Errorf("responder: TSA: %w", err)
	}
	r.mux.HandleFunc("GET "+testpki.CRLPath+"{file}", r.crl)
	r.mux.HandleFunc("GET "+testpki.CertificatePath+"{file}", r.certificate)
	r.mux.HandleFunc("POST "+testpki.OCSPPath, r.ocspPost)
	r.mux.HandleFunc("POST "+testpki.TSAPath, r.timeStamp)
	r.mux.HandleFunc("GET "+testpki.TSLPath, r.list)
	return r, nil
}

func (a *authority) read(f testpki.ServiceFile) error {
	var err error
	if a.cert, err = readCertificate(f.CA); err != nil {
		return err
	}
	if a.responder, err = readCertificate(f.Cert); err != nil {
		return err
	}
	a.key, err = readKey(f.Key)
	return err
}

// readTSA reads the time-stamping authority and the certificates above it.
func (r *Responder) readTSA(f testpki.ServiceFile) error {
	cert, err := readCertificate(f.Cert)
	if err != nil {
		return err
	}
	key, err := readKey(f.Key)
	if err != nil {
		return err
	}
	r.tsa = &tsp.Authority{Certificate: cert, Key: key, Policy: policy(), Accuracy: accuracy}
	if a := r.authority(f.ID); a != nil {
		r.tsa.Chain = []*gostx509.Certificate{a.cert}
	}
	return nil
}

// authority returns the CA with an ID, nil if there is none.
func (r *Responder) authority(id string) *authority {
	i := slices.IndexFunc(r.authorities, func(a authority) bool { return a.id == id })
	if i < 0 {
		return nil
	}
	return &r.authorities[i]
}

func readCertificate(name string) (*gostx509.Certificate, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return gostx509.ParseAny(data)
}

func readKey(name string) (*gost3410.PrivateKey, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	raw, err := der.Decode(data, "PRIVATE KEY")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	key, _, err := pkcs8.Parse(raw)
	return key, err
}

// ServeHTTP implements http.Handler.
func (r *Responder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	// A ServeMux would make one slash of two, which base64 may have.
	if text, ok := strings.CutPrefix(request.URL.Path, testpki.OCSPPath+"/"); ok && request.Method == http.MethodGet {
		r.ocspGet(w, text)
		return
	}
	r.mux.ServeHTTP(w, request)
}

func (r *Responder) crl(w http.ResponseWriter, request *http.Request) {
	a := r.authority(strings.TrimSuffix(request.PathValue("file"), ".crl"))
	if a == nil {
		http.NotFound(w, request)
		return
	}
	serveFile(w, request, a.crl, "application/pkix-crl")
}

func (r *Responder) certificate(w http.ResponseWriter, request *http.Request) {
	a := r.authority(strings.TrimSuffix(request.PathValue("file"), ".cer"))
	if a == nil {
		http.NotFound(w, request)
		return
	}
	answer(w, "application/pkix-cert", a.cert.Raw)
}

func (r *Responder) list(w http.ResponseWriter, request *http.Request) {
	serveFile(w, request, r.tsl, "application/xml")
}

// serveFile answers with a file, or that it is the one that the client has. The time
// of the file does not count: it may be replaced twice in a second.
func serveFile(w http.ResponseWriter, request *http.Request, name, kind string) {
	data, err := os.ReadFile(name)
	if err != nil {
		http.Error(w, "not there now", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("ETag", fmt.Sprintf("\"%x\"", sha256.Sum256(data)))
	http.ServeContent(w, request, "", time.Time{}, bytes.NewReader(data))
}

// answer writes an answer. Whoever has gone meanwhile gets none.
func answer(w http.ResponseWriter, kind string, data []byte) {
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(data)
}
