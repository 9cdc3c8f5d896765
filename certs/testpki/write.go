package testpki

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/pkcs8"
	"propusk/gost/spki"
)

// ManifestFile is the name of the Manifest in the directory of a country. It is
// written empty at first, to say that the directory is ours, and in full at the
// end, so an empty one stands for a country that was not finished.
const ManifestFile = "country.json"

// manifestFormat is changed whenever the files of a country change their shape or
// the tables of CAs and people change.
const manifestFormat = 3

// Manifest says what files a country consists of. Paths are relative to its
// directory.
type Manifest struct {
	Format  int       `json:"format"`
	Made    time.Time `json:"made"`
	Expires time.Time `json:"expires"` // the revocation lists are due
	Hosts   []string  `json:"hosts"`
	BaseURL string    `json:"base_url"` // of the addresses in certificates

	People   []PersonFiles `json:"people"`
	Trust    TrustFiles    `json:"trust"`
	TLS      TLSFiles      `json:"tls"`
	Services ServiceFiles  `json:"services"`
}

// PersonFiles is one person of a Manifest.
type PersonFiles struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	INN    string `json:"inn"`
	OGRNIP string `json:"ogrnip"`
	SNILS  string `json:"snils"`
	Cert   string `json:"cert"`
	Key    string `json:"key"`
	PIN    string `json:"pin"`
	Expect string `json:"expect"` // "ok" or a reason code
}

// TrustFiles are what verdicts rest on.
type TrustFiles struct {
	Dir   string   `json:"dir"` // a trust directory of package certs
	TSL   string   `json:"tsl"`
	Roots []string `json:"roots"`
	CRLs  []string `json:"crls"`
}

// TLSFiles are the CAs of the server certificates.
type TLSFiles struct {
	GOSTCA string `json:"gost_ca"`
	CA     string `json:"ca"`
}

// ServiceFiles are what package responder answers with.
type ServiceFiles struct {
	TSA         ServiceFile   `json:"tsa"`
	Authorities []ServiceFile `json:"authorities"`
}

// ServiceFile is a service: certificate and key of the TSA, or of the OCSP
// responder of the CA with the given ID.
type ServiceFile struct {
	ID   string `json:"id"`
	Cert string `json:"cert"`
	Key  string `json:"key"`
	// CA is the certificate of the CA, CRL its revocation list.
	CA  string `json:"ca"`
	CRL string `json:"crl"`
}

// Names of the directories of a country.
const (
	trustDir       = "trust"
	tlsDir         = "tls"
	peopleDir      = "people"
	authoritiesDir = "authorities"
	servicesDir    = "services"
)

// ErrForeign means that a directory has files with the names of ours that are not
// those of a country: nothing was written.
var ErrForeign = errors.New("the directory holds other files named trust, tls, people, authorities or services")

// WriteTo writes the country as files under dir, which is made if absent. A
// country that is already there is replaced; other files are left alone. The
// error wraps [ErrForeign] if they are in the way.
//
//	trust/        a trust directory of package certs
//	tls/          CAs and certificates of servers, with keys
//	people/       ID/cert.pem and ID/key.pem of each person
//	authorities/  ID.pem, ID.key and ID.crl of each CA
//	services/     the time-stamping authority and OCSP responders, with keys
//	country.json  the Manifest
func (c *Country) WriteTo(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("testpki: %w", err)
	}
	w := &writer{dir: dir}
	w.clear()
	w.json(ManifestFile, Manifest{})
	c.writeTrust(w)
	c.writeAuthorities(w)
	c.writeServices(w)
	c.writeServers(w)
	c.writePeople(w)
	w.json(ManifestFile, c.manifest())
	if w.err != nil {
		return fmt.Errorf("testpki: %w", w.err)
	}
	return nil
}

func (c *Country) writeTrust(w *writer) {
	var pins bytes.Buffer
	fmt.Fprintf(&pins, "# Корневые сертификаты демонстрационной страны, SHA-256.\n")
	for _, root := range c.Roots() {
		w.pem(rootFile(root), "CERTIFICATE", root.Certificate.Raw)
		fmt.Fprintf(&pins, "%x  # %s\n", root.Certificate.SHA256(), root.Name)
	}
	w.file(filepath.Join(trustDir, "pins.txt"), pins.Bytes(), 0o644)
	signer := c.TSLSigner()
	w.pem(filepath.Join(trustDir, "tsl-signers", signer.ID+".pem"), "CERTIFICATE", signer.Certificate.Raw)
	w.file(filepath.Join(trustDir, "tsl.xml"), c.tsl, 0o644)
	for _, a := range c.authorities {
		if a.spec.foreign {
			continue
		}
		w.file(crlFile(a), c.crls[a.ID], 0o644)
		if !a.Listed() {
			w.pem(filepath.Join(trustDir, "intermediates", a.ID+".pem"), "CERTIFICATE", a.Certificate.Raw)
		}
	}
}

func (c *Country) writeAuthorities(w *writer) {
	for _, a := range c.authorities {
		base := filepath.Join(authoritiesDir, a.ID)
		w.pem(base+".pem", "CERTIFICATE", a.Certificate.Raw)
		w.key(base+".key", a.Key)
		w.file(base+".crl", c.crls[a.ID], 0o644)
	}
}

func (c *Country) writeServices(w *writer) {
	write := func(f ServiceFile, s *Credential) {
		w.pem(f.Cert, "CERTIFICATE", s.Certificate.Raw)
		w.key(f.Key, s.Key)
	}
	write(serviceFile("tsa", c.TSAIssuer()), c.tsa)
	for _, a := range c.authorities {
		write(responderFile(a), c.responders[a.ID])
	}
}

// serviceFile is the place of a service of a CA.
func serviceFile(name string, a *Authority) ServiceFile {
	base := filepath.Join(servicesDir, name)
	ca := filepath.Join(authoritiesDir, a.ID)
	return ServiceFile{ID: a.ID, Cert: base + ".pem", Key: base + ".key", CA: ca + ".pem", CRL: ca + ".crl"}
}

func responderFile(a *Authority) ServiceFile { return serviceFile("ocsp-"+a.ID, a) }

func (c *Country) writeServers(w *writer) {
	w.pem(filepath.Join(tlsDir, "gost-ca.pem"), "CERTIFICATE", c.Authority("tls").Certificate.Raw)
	w.pem(filepath.Join(tlsDir, "ca.pem"), "CERTIFICATE", c.tlsCA)
	for _, s := range c.servers {
		base := filepath.Join(tlsDir, s.Name)
		w.pem(base+".pem", "CERTIFICATE", s.Chain...)
		w.key(base+".key", s.Key)
	}
}

func (c *Country) writePeople(w *writer) {
	for _, p := range c.people {
		w.pem(personFile(p, "cert.pem"), "CERTIFICATE", p.Certificate.Raw)
		w.key(personFile(p, "key.pem"), p.Key)
	}
}

func rootFile(a *Authority) string { return filepath.Join(trustDir, "roots", a.ID+".pem") }
func crlFile(a *Authority) string  { return filepath.Join(trustDir, "crls", a.ID+".crl") }
func personFile(p *Person, name string) string {
	return filepath.Join(peopleDir, p.ID, name)
}

// manifest describes the files that WriteTo writes.
func (c *Country) manifest() Manifest {
	m := Manifest{
		Format:  manifestFormat,
		Made:    c.opts.Now,
		Expires: c.opts.Now.Add(Life),
		Hosts:   c.opts.Hosts,
		BaseURL: c.opts.BaseURL,
		Trust:   TrustFiles{Dir: trustDir, TSL: filepath.Join(trustDir, "tsl.xml")},
		TLS:     TLSFiles{GOSTCA: filepath.Join(tlsDir, "gost-ca.pem"), CA: filepath.Join(tlsDir, "ca.pem")},
	}
	for _, a := range c.Roots() {
		m.Trust.Roots = append(m.Trust.Roots, rootFile(a))
	}
	m.Services.TSA = serviceFile("tsa", c.TSAIssuer())
	for _, a := range c.authorities {
		if !a.spec.foreign {
			m.Trust.CRLs = append(m.Trust.CRLs, crlFile(a))
		}
		m.Services.Authorities = append(m.Services.Authorities, responderFile(a))
	}
	for _, p := range c.people {
		expect := "ok"
		if p.Expect != "" {
			expect = string(p.Expect)
		}
		m.People = append(m.People, PersonFiles{
			ID: p.ID, Kind: string(p.Kind), Name: p.Name, INN: p.INN, OGRNIP: p.OGRNIP, SNILS: p.SNILS,
			Cert: personFile(p, "cert.pem"), Key: personFile(p, "key.pem"), PIN: p.PIN, Expect: expect,
		})
	}
	return m
}

// ReadManifest reads the manifest of a country that WriteTo has written. The
// error wraps fs.ErrNotExist if there is none.
func ReadManifest(dir string) (Manifest, error) {
	data, err := os.ReadFile(filepath.Join(dir, ManifestFile))
	if err != nil {
		return Manifest{}, fmt.Errorf("testpki: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return Manifest{}, fmt.Errorf("testpki: %s: %w", ManifestFile, err)
	}
	return m, nil
}

// Usable reports whether the country can be used at a moment and for some time
// after, for servers of these hosts and with addresses that begin with this URL.
// Countries of other versions of this package cannot.
func (m Manifest) Usable(now time.Time, margin time.Duration, hosts []string, baseURL string) bool {
	return m.Format == manifestFormat &&
		!now.Before(m.Made) && now.Add(margin).Before(m.Expires) &&
		slices.Equal(m.Hosts, hosts) && m.BaseURL == baseURL
}

// In returns the manifest with all paths joined to dir.
func (m Manifest) In(dir string) Manifest {
	under := func(p string) string { return filepath.Join(dir, p) }
	all := func(paths []string) []string {
		var joined []string
		for _, p := range paths {
			joined = append(joined, under(p))
		}
		return joined
	}
	m.People = slices.Clone(m.People)
	for i := range m.People {
		m.People[i].Cert, m.People[i].Key = under(m.People[i].Cert), under(m.People[i].Key)
	}
	m.Trust = TrustFiles{Dir: under(m.Trust.Dir), TSL: under(m.Trust.TSL), Roots: all(m.Trust.Roots), CRLs: all(m.Trust.CRLs)}
	m.TLS = TLSFiles{GOSTCA: under(m.TLS.GOSTCA), CA: under(m.TLS.CA)}
	service := func(f ServiceFile) ServiceFile {
		return ServiceFile{ID: f.ID, Cert: under(f.Cert), Key: under(f.Key), CA: under(f.CA), CRL: under(f.CRL)}
	}
	m.Services.TSA = service(m.Services.TSA)
	m.Services.Authorities = slices.Clone(m.Services.Authorities)
	for i, f := range m.Services.Authorities {
		m.Services.Authorities[i] = service(f)
	}
	return m
}

// writer writes files under dir and remembers the first error.
type writer struct {
	dir string
	err error
}

// clear removes the country that is there, and nothing that is not ours.
func (w *writer) clear() {
	parts := []string{trustDir, tlsDir, peopleDir, authoritiesDir, servicesDir}
	_, err := os.Lstat(filepath.Join(w.dir, ManifestFile))
	ours := err == nil
	for _, name := range parts {
		path := filepath.Join(w.dir, name)
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if !ours {
			w.err = fmt.Errorf("%s: %w", w.dir, ErrForeign)
			return
		}
		if w.err = os.RemoveAll(path); w.err != nil {
			return
		}
	}
}

// file writes one file and the directories above it.
func (w *writer) file(name string, data []byte, mode fs.FileMode) {
	if w.err != nil {
		return
	}
	path := filepath.Join(w.dir, name)
	if w.err = os.MkdirAll(filepath.Dir(path), 0o755); w.err == nil {
		w.err = os.WriteFile(path, data, mode)
	}
}

// pem writes blocks with the same label.
func (w *writer) pem(name, label string, blocks ...[]byte) {
	var text []byte
	for _, b := range blocks {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: label, Bytes: b})...)
	}
	w.file(name, text, 0o644)
}

// key writes a private key in PKCS #8, which only the owner may read.
func (w *writer) key(name string, key any) {
	if w.err != nil {
		return
	}
	raw, err := marshalKey(key)
	if err != nil {
		w.err = fmt.Errorf("%s: %w", name, err)
		return
	}
	w.file(name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600)
}

func marshalKey(key any) ([]byte, error) {
	if k, ok := key.(*gost3410.PrivateKey); ok {
		return pkcs8.Marshal(k, spki.DefaultAlgorithm(k.PublicKey().Curve()))
	}
	return x509.MarshalPKCS8PrivateKey(key)
}

// json writes an indented JSON document under its name at once: whoever sees the
// file sees all of it.
func (w *writer) json(name string, v any) {
	if w.err != nil {
		return
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if w.err = enc.Encode(v); w.err != nil {
		return
	}
	w.file(name+".tmp", text.Bytes(), 0o644)
	if w.err == nil {
		w.err = os.Rename(filepath.Join(w.dir, name+".tmp"), filepath.Join(w.dir, name))
	}
}
