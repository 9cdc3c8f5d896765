package samples_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"os"
	slash "path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"propusk/pki/cms"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/ocsp"
	"propusk/pki/path"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/samples"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// entry is one line of INDEX.tsv.
type entry struct{ file, source, what, algorithm, expected, how string }

// readIndex reads INDEX.tsv.
func readIndex(t *testing.T) []entry {
	t.Helper()
	text, err := os.ReadFile(samples.Path(t, "data", "INDEX.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var all []entry
	for line := range strings.Lines(string(text)) {
		f := append(strings.Split(strings.TrimRight(line, "\n"), "\t"), make([]string, 6)...)
		if f[0] != "file" {
			all = append(all, entry{f[0], f[1], f[2], f[3], f[4], f[5]})
		}
	}
	if len(all) < 400 {
		t.Fatalf("only %d lines", len(all))
	}
	return all
}

// elsewhere names the tests of other packages that judge whole groups of lines.
func elsewhere() map[string]string {
	return map[string]string{
		"ca_certs/accredited/*":                "pki/path/corpus_test.go TestCorpus",
		"ca_certs/roots.pem*":                  "pki/path/corpus_test.go TestCorpus",
		"ca_certs/odd.tsv":                     "pki/gostx509/odd_test.go TestOddities",
		"ee_certs/real_qualified/*":            "pki/qualified/real_test.go TestReal",
		"cms_signed/attached/gnutls-*53140489": "pki/cms/corpus_test.go TestCorpusByKey",
		"cms_signed/attached/gnutls-*d52e3e73": "pki/cms/corpus_test.go TestCorpusByKey",
		"crl/udcs-siberia*":                    "pki/crl/crl_test.go TestSiberia",
		"keys/*-pkcs8-*":                       "gost/pkcs8/pkcs8_test.go TestCorpus",
		"keys/*-spki-*":                        "gost/spki/spki_test.go TestCorpus",
		"fuzz/keys/*":                          "gost/pkcs8/pkcs8_test.go FuzzParse",
		"tsl/ogic-2011-etsi-tsl.xml":           "pki/tsl/tsl_test.go TestETSI",
		"xmldsig/valid/*":                      "pki/xmldsig/samples_test.go TestSamplesValid",
		"xmldsig/invalid/*":                    "pki/xmldsig/samples_test.go TestSamplesInvalid",
	}
}

// beyond names the groups of lines that no verdict of today is about, and why.
func beyond() map[string]string {
	return map[string]string{
		"cms_signed/README.txt":         "a text about the files beside it",
		"cms_signed/detached/*.content": "the documents of the signatures beside them, which are judged with them",
		"cms_other/tc26_keys/*":         "keys of encrypted messages: encryption is not part of the project",
		"cryptopro_containers/*":        "containers of private keys: nothing here reads private keys of people",
		"pkcs12/*":                      "containers of private keys: nothing here reads private keys of people",
		"fuzz/pkcs12/*":                 "containers of private keys: nothing here reads private keys of people",
		"keys/gnutls-key-*":             "encrypted or masked private keys of GnuTLS: nothing here reads them",
		"csr/*":                         "requests for certificates: nobody asks us for certificates",
		"rfc/*":                         "texts of standards",
		"tls/*":                         "parameters of a handshake, for gost/gosttls",
		"tsl/accredited_history.tsv":    "the history of versions of the list, without statuses: nothing to judge",
		"tsl/gost-ca-parse-main.go.txt": "a program that reads the list, kept for the names of its elements",
		"vectors/*":                     "answers of primitives, for the packages below gost",
	}
}

// matches is path.Match for patterns whose star crosses slashes and matches to the
// end.
func matches(pattern, file string) bool {
	parts := strings.Split(pattern, "*")
	if !strings.HasPrefix(file, parts[0]) {
		return false
	}
	rest := file[len(parts[0]):]
	for _, part := range parts[1:] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return len(parts) > 1 || rest == ""
}

// find returns the value of the pattern that matches.
func find(table map[string]string, file string) (string, bool) {
	for pattern, value := range table {
		if matches(pattern, file) {
			return value, true
		}
	}
	return "", false
}

// TestIndex goes through every line of INDEX.tsv. Each is judged here, or by a test
// of another package that is named and exists, or is beyond what verdicts are about,
// with the reason why. Where a verdict differs from the expected one, divergences
// says so, and DIVERGENCES.md of package report tells people.
func TestIndex(t *testing.T) {
	w := newWorld(t)
	judged, others, out := 0, 0, 0
	all := readIndex(t)
	for _, e := range all {
		if _, ok := find(beyond(), e.file); ok {
			out++
			continue
		}
		if where, ok := find(elsewhere(), e.file); ok {
			others++
			exists(t, where)
			continue
		}
		judge := w.judge(e)
		if judge == nil {
			t.Errorf("%s: expected is %q, and nobody judges it", e.file, e.expected)
			continue
		}
		raw, err := os.ReadFile(samples.Path(t, "data", e.file))
		if err != nil {
			t.Error(err)
			continue
		}
		judged++
		err = judge(e, raw)
		known, differs := find(divergences(), e.file)
		switch {
		case err != nil && !differs:
			t.Errorf("%s: %v; expected is %q (%s)", e.file, err, e.expected, e.how)
		case err == nil && differs:
			t.Errorf("%s is judged as expected: it is no divergence any more", e.file)
		case differs && !documented(t, known):
			t.Errorf("%s: DIVERGENCES.md of package report does not say that %s", e.file, known)
		}
	}
	for _, table := range []map[string]string{beyond(), elsewhere(), divergences()} {
		for pattern := range table {
			if !slices.ContainsFunc(all, func(e entry) bool { return matches(pattern, e.file) }) {
				t.Errorf("%s: no line of the index is of that sort", pattern)
			}
		}
	}
	t.Logf("%d lines judged here, %d by other packages, %d beyond", judged, others, out)
	if judged < 180 {
		t.Errorf("only %d lines were judged here", judged)
	}
}

// exists checks that a test that is named as one that judges is there.
func exists(t *testing.T, where string) {
	t.Helper()
	file, name, _ := strings.Cut(where, " ")
	source, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(file)))
	if err != nil || !bytes.Contains(source, []byte("func "+name+"(")) {
		t.Errorf("%s does not exist (%v)", where, err)
	}
}

// world is what lines are judged with.
type world struct {
	t     *testing.T
	certs []*gostx509.Certificate          // all that were collected
	bySum map[string]*gostx509.Certificate // by the 16 digits in the name of the file
	trust validate.Trust
}

var errWrong = errors.New("judged otherwise")

// newWorld reads all certificates that lines refer to.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, bySum: make(map[string]*gostx509.Certificate)}
	for _, pattern := range []string{"ca_certs/other/*.der", "ee_certs/test/*.der"} {
		files, err := filepath.Glob(samples.Path(t, "data", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if c, err := gostx509.Parse(raw); err == nil {
				name := strings.TrimSuffix(filepath.Base(file), ".der")
				w.certs = append(w.certs, c)
				w.bySum[name[strings.LastIndex(name, "-")+1:]] = c
			}
		}
	}
	w.trust = validate.Trust{Roots: path.NewPool(), Intermediates: path.NewPool()}
	roots, err := os.ReadFile(samples.Path(t, "data", "ca_certs", "roots.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for block, rest := pem.Decode(roots); block != nil; block, rest = pem.Decode(rest) {
		c, err := gostx509.Parse(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		w.trust.Roots.Add(c)
	}
	files, err := filepath.Glob(samples.Path(t, "data", "ca_certs", "accredited", "*.der"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := gostx509.Parse(raw); err == nil {
			w.trust.Intermediates.Add(c)
		}
	}
	return w
}

type judgement func(e entry, raw []byte) error

// judge finds who judges a line; nil if nobody does.
func (w *world) judge(e entry) judgement {
	dir, base := slash.Dir(e.file), slash.Base(e.file)
	switch {
	case dir == "ca_certs/other" || dir == "ee_certs/test":
		return w.certificate
	case dir == "fuzz/x509":
		return w.fuzzedCertificate
	case dir == "cms_signed/attached" || dir == "cms_signed/detached":
		return w.signature
	case dir == "cms_other" || dir == "fuzz/cms":
		return w.noSignature
	case dir == "crl":
		return w.list
	case dir == "ocsp":
		return w.dummyResponse
	case dir == "foreign/kz" && strings.Contains(base, "-cert-"):
		return w.foreignCertificate
	case dir == "foreign/kz" && strings.Contains(base, "-cms-signed-"):
		return w.foreignSignature
	case dir == "foreign/kz" && strings.Contains(base, "-crl-"):
		return w.foreignList
	case dir == "foreign/kz" && strings.Contains(base, "-ocsp-resp-"):
		return w.foreignResponse
	}
	return nil
}

// certificate judges a certificate by the words of the index.
func (w *world) certificate(e entry, raw []byte) error {
	c, err := gostx509.ParseAny(raw)
	if err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(e.expected, "VALID self-signature"):
		return c.CheckSignature(c.PublicKey)
	case strings.HasPrefix(e.expected, "INVALID self-signature"):
		return wants(reason.CertSignatureBad, c.CheckSignature(c.PublicKey))
	case strings.HasPrefix(e.expected, "VALID: signed by bundled cert "):
		issuer := w.bySum[strings.Fields(e.expected)[5]]
		if issuer == nil {
			return errors.New("the issuer was not collected")
		}
		return c.CheckSignature(issuer.PublicKey)
	case strings.HasPrefix(e.expected, "VALID: chains to real accredited root"), strings.HasPrefix(e.expected, "chain OK to the real"):
		ask := w.chainOnly()
		if c.IsCA {
			ask.Policy.AllowedKinds = []person.Kind{person.Authority}
		}
		v := ask.ParsedCertificate(c, nil, c.NotBefore.Add(time.Hour))
		if v.Verdict.Status() != verdict.Passed || !v.Anchored {
			return v.Verdict.Why()
		}
		return nil
	case strings.HasPrefix(e.expected, "ISSUER NOT AVAILABLE"):
		// With nothing but itself no certificate passes.
		if v := w.chainOnly().ParsedCertificate(c, nil, c.NotBefore.Add(time.Hour)); v.Verdict.Status() == verdict.Passed {
			return errWrong
		}
		return nil
	case strings.HasPrefix(e.expected, "UNSUPPORTED"):
		if c.KeyError == nil {
			return errors.New("the key was read")
		}
		return unsupported(c.CheckSignature(c.PublicKey))
	}
	return errors.New("these words are not understood")
}

// chainOnly asks for a chain to a real root and nothing else.
func (w *world) chainOnly() validate.Validator {
	return validate.Validator{Trust: w.trust, Policy: validate.Policy{
		Name: "chain", AllowUnaccredited: true, AllowUnqualified: true, InsecureSkipRevocation: true, InsecureSkipValidity: true,
	}}
}

// wants returns an error unless err has the reason.
func wants(code reason.Code, err error) error {
	if reason.Of(err) != code {
		return errors.Join(errWrong, err)
	}
	return nil
}

// unsupported returns an error unless err says that nothing is known, which is
// something else than a bad signature.
func unsupported(err error) error {
	switch reason.Of(err) {
	case reason.CertAlgorithm, reason.CertKeyUnsupported, reason.SignatureAlgorithmUnsupported:
		return nil
	}
	return errors.Join(errWrong, err)
}

// fuzzedCertificate compares the verdict of the parser with that of OpenSSL.
func (w *world) fuzzedCertificate(e entry, raw []byte) error {
	_, err := gostx509.ParseAny(raw)
	if readable := strings.HasSuffix(e.how, "parse: ok"); readable != (err == nil) {
		return errors.Join(errWrong, err)
	}
	return nil
}

// signature judges the mathematics of every signer, and the chain where the index
// speaks of one.
func (w *world) signature(e entry, raw []byte) error {
	content := cms.Content{}
	if document, err := os.ReadFile(samples.Path(w.t, "data", strings.TrimSuffix(e.file, ".p7s")+".content")); err == nil {
		content = cms.Document(document)
	}
	v := w.chainOnly()
	r := v.Signature(raw, content, time.Date(2026, 7, 23, 12, 0, 0, 0, time.UTC), w.certs...)
	if r.File == nil || len(r.Signatures) == 0 {
		return r.Verdict().Why()
	}
	for _, s := range r.Signatures {
		status, why := s.Mathematical.Status(), s.Mathematical.Why()
		switch {
		case strings.HasPrefix(e.expected, "VALID"):
			if status != verdict.Passed {
				return why
			}
			if strings.Contains(e.expected, "chain to real accredited root") && s.Verdict.Status() != verdict.Passed {
				return s.Verdict.Why()
			}
		case strings.HasPrefix(e.expected, "CRYPTO VALID"):
			if status != verdict.Indeterminate || why != reason.ContentMissing || !passedCheck(s.Mathematical, cms.CheckSignature) {
				return errors.Join(errWrong, why)
			}
		case strings.HasSuffix(e.expected, "cannot be judged"):
			if status != verdict.Indeterminate || passedCheck(s.Mathematical, cms.CheckSignature) {
				return errors.Join(errWrong, why)
			}
		default:
			return errors.New("these words are not understood")
		}
	}
	return nil
}

// passedCheck reports whether a check of a name passed.
func passedCheck(v verdict.Verdict, name string) bool {
	for _, c := range v.Checks() {
		if c.Name == name {
			return c.Status == verdict.Passed
		}
	}
	return false
}

// noSignature: messages of other types are told from signatures.
func (w *world) noSignature(_ entry, raw []byte) error {
	_, err := cms.Parse(raw)
	return wants(reason.SignatureTypeUnsupported, err)
}

// list judges a revocation list with any certificate of its issuer.
func (w *world) list(_ entry, raw []byte) error {
	l, err := crl.Parse(raw)
	if err != nil {
		return err
	}
	for _, c := range w.certs {
		if bytes.Equal(c.RawSubject, l.RawIssuer()) && l.CheckSignature(c) == nil {
			return nil
		}
	}
	return reason.CRLSignatureBad
}

// dummyResponse: an OCSP answer that is none.
func (w *world) dummyResponse(_ entry, raw []byte) error {
	if _, err := ocsp.Parse(raw); err == nil {
		return errWrong
	}
	return nil
}

// foreignCertificate: a national algorithm is unknown, which is not a bad signature.
func (w *world) foreignCertificate(_ entry, raw []byte) error {
	c, err := gostx509.ParseAny(raw)
	if err != nil {
		return err
	}
	return unsupported(c.CheckSignature(c.PublicKey))
}

func (w *world) foreignSignature(_ entry, raw []byte) error {
	r := w.chainOnly().Signature(raw, cms.Content{}, time.Date(2026, 7, 23, 12, 0, 0, 0, time.UTC))
	if r.File == nil || len(r.Signatures) == 0 {
		return r.Verdict().Why()
	}
	national := 0
	for _, s := range r.Signatures {
		// One file holds a signature with RSA as well, which is right.
		if !strings.HasPrefix(s.Signer.DigestAlgorithm.Algorithm.String(), "1.2.398.") {
			continue
		}
		national++
		if s.Mathematical.Status() != verdict.Indeterminate {
			return errors.Join(errWrong, s.Mathematical.Why())
		}
	}
	if national == 0 {
		return errors.New("no signature of a national algorithm")
	}
	return nil
}

func (w *world) foreignList(_ entry, raw []byte) error {
	_, err := crl.Parse(raw)
	return err
}

func (w *world) foreignResponse(_ entry, raw []byte) error {
	_, err := ocsp.Parse(raw)
	return err
}

// divergences are the lines where we differ from the index, with the words of
// DIVERGENCES.md about them.
func divergences() map[string]string {
	return map[string]string{
		"ca_certs/other/rfc9215-cert-46e8774ed2653fba.der":    "parameters for tests",
		"ca_certs/other/rfc9215-cert-e42421dc188998cb.der":    "parameters for tests",
		"crl/rfc9215-crl-6ff9741bb081ba48.der":                "parameters for tests",
		"crl/rfc9215-crl-ab13855e9bf74a2b.der":                "parameters for tests",
		"ee_certs/test/i-novus-llc-cert-43aa54cd9204f257.der": "a curve that is not read",
	}
}

// documented reports whether DIVERGENCES.md has the words.
func documented(t *testing.T, words string) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "report", "DIVERGENCES.md"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(text, []byte(words))
}
