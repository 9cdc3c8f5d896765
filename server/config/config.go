// Package config is the configuration of propusk serve: one YAML file, whose
// every field is described here and in the sample that [Sample] returns.
//
// A field that is absent has the value that [Default] gives it, an unknown or
// repeated field is an error, and [Config.Validate] names every mistake at once.
package config

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"propusk/gost/gosttls"
	"propusk/tokens/uri"
)

// maxFile is how long a configuration file may be, in bytes. A longer one is
// not a configuration but a file named by mistake.
const maxFile = 1 << 20

// Config is the whole configuration. It is a plain value: copying it is cheap,
// and nothing in it changes after [Load].
type Config struct {
	// Public is the host that people and services open: the front page, the
	// verify API and the OpenID Connect endpoints. Its URL is the issuer.
	Public Host `yaml:"public"`

	// SignIn is the host that asks for a client certificate over GOST TLS.
	SignIn SignIn `yaml:"signin"`

	// GOSTTLS is how both hosts speak GOST TLS.
	GOSTTLS GOSTTLS `yaml:"gost_tls"`

	// Check is the environment check page, served over plain HTTP because a
	// person whose GOST TLS does not work yet must be able to open it.
	Check Check `yaml:"check"`

	// Admin is the listener of health and metrics.
	Admin Admin `yaml:"admin"`

	// Trust says where the trust data are and how fresh they must be.
	Trust Trust `yaml:"trust"`

	// Revocation says how it is found out whether a certificate was revoked.
	Revocation Revocation `yaml:"revocation"`

	// Verification says what computes signatures.
	Verification Verification `yaml:"verification"`

	// OIDC is the OpenID Connect provider.
	OIDC OIDC `yaml:"oidc"`

	// Challenge is sign-in by a challenge, and signing for services.
	Challenge Challenge `yaml:"challenge"`

	// API says who may use the verify API.
	API API `yaml:"api"`

	// Report says who signs verdict documents.
	Report Report `yaml:"report"`

	// HSM is for keys and secrets in tokens and HSMs.
	HSM HSM `yaml:"hsm"`

	// Journal is the journal of sign-ins and signatures.
	Journal Journal `yaml:"journal"`

	// Cabinets lists the cabinets by kind of holder ("ip", "ul", "fl"), so that
	// a person with the wrong certificate is told where to go instead.
	Cabinets map[string]Cabinet `yaml:"cabinets"`

	// Mail is the server that takes letters.
	Mail Mail `yaml:"mail"`

	// Levels says what services want of people.
	Levels Levels `yaml:"levels"`

	// Visits are the sessions of people on the public host.
	Visits Visits `yaml:"visits"`

	// Accounts are what is kept about people.
	Accounts Accounts `yaml:"accounts"`

	// Profile is what people may do with their accounts.
	Profile Profile `yaml:"profile"`

	// Registration is how people open accounts by a certificate.
	Registration Registration `yaml:"registration"`

	// Login is sign-in by ИНН and password.
	Login Login `yaml:"login"`

	// Support is where the link «Техническая поддержка» leads.
	Support Support `yaml:"support"`

	// Log is what is logged, to standard error, as JSON lines.
	Log Log `yaml:"log"`

	// Limits bounds what one client may cost.
	Limits Limits `yaml:"limits"`
}

// Host is one name and port that speaks TLS: GOST and ordinary, told apart by
// the ClientHello.
type Host struct {
	// URL is how browsers reach this host: "https://host" or "https://host:port",
	// without a path.
	URL string `yaml:"url"`

	// Listen is the address to listen on, "host:port". Port 0 takes a free one.
	Listen string `yaml:"listen"`

	// TLS names the certificates and keys.
	TLS TLS `yaml:"tls"`
}

// TLS names PEM files: certificate chains with the leaf first, and keys in
// PKCS#8, or PKCS #11 URIs of keys. All four are needed: a browser without GOST TLS must get a page that
// says so, not a broken connection.
type TLS struct {
	// Certificate is the ordinary (ECDSA or RSA) chain.
	Certificate string `yaml:"certificate"`
	// Key is the key of Certificate.
	Key string `yaml:"key"`
	// GOSTCertificate is the chain with a GOST R 34.10-2012 key.
	GOSTCertificate string `yaml:"gost_certificate"`
	// GOSTKey is the key of GOSTCertificate.
	GOSTKey string `yaml:"gost_key"`
}

// GOSTTLS is how GOST TLS is spoken.
type GOSTTLS struct {
	// Suites are the IANA names of the cipher suites in order of preference, those
	// of TLS 1.3 and TLS 1.2 together. A version without a suite is not spoken.
	// LegacySuite has a switch of its own.
	Suites []string `yaml:"suites"`

	// LegacySuite adds, as the last one, 0xFF85: the number that the suite of
	// CNT_IMIT had before RFC 9189. Old versions of CryptoPro CSP and ViPNet CSP
	// know no other. Its records are authenticated by 32 bits.
	LegacySuite bool `yaml:"legacy_suite"`

	// LegacyVersions adds TLS 1.0 and 1.1 for such clients, which RFC 8996 forbids.
	// It needs LegacySuite.
	LegacyVersions bool `yaml:"legacy_versions"`

	// SessionLife is how long a browser may resume its TLS session without proving
	// its key again. The certificate is judged at every request all the same, and
	// logout ends the sessions. Zero means that every connection proves the key.
	SessionLife time.Duration `yaml:"session_life"`

	// TicketRotation is how long a key seals new session tickets. It opens them as
	// long as they live, and is wiped then.
	TicketRotation time.Duration `yaml:"ticket_rotation"`
}

// SuiteIDs returns the numbers of Suites, in the same order, LegacySuite included. Names
// that are unknown are left out; [Config.Validate] has refused them.
func (g GOSTTLS) SuiteIDs() []uint16 {
	var ids []uint16
	for _, name := range g.Suites {
		for _, id := range suites() {
			if gosttls.CipherSuiteName(id) == name {
				ids = append(ids, id)
			}
		}
	}
	if g.LegacySuite {
		ids = append(ids, gosttls.LegacyCNTIMIT)
	}
	return ids
}

// suites are the cipher suites that Suites may name, in the order of their default.
func suites() []uint16 {
	return []uint16{
		gosttls.KuznyechikMGMS, gosttls.KuznyechikMGML, gosttls.MagmaMGMS, gosttls.MagmaMGML,
		gosttls.KuznyechikCTROMAC, gosttls.MagmaCTROMAC, gosttls.CNTIMIT,
	}
}

// suiteNames are their names.
func suiteNames() []string {
	var names []string
	for _, id := range suites() {
		names = append(names, gosttls.CipherSuiteName(id))
	}
	return names
}

// SignIn is the sign-in host and its policy.
type SignIn struct {
	Host `yaml:",inline"`

	// Kinds are the kinds of holder that may sign in: "ip", "ul", "fl".
	Kinds []string `yaml:"kinds"`

	// Methods are the ways to sign in, in the order in which people are offered them:
	// "gost-tls", "agent", "plugin". With gost-tls alone people are not asked.
	Methods []string `yaml:"methods"`

	// TicketLife is how long the one-time ticket from the sign-in host to the
	// public host is good for.
	TicketLife time.Duration `yaml:"ticket_life"`

	// RequestLife is how long a person may take between the cabinet and the
	// end of the sign-in: choosing a certificate, finding the token, the PIN.
	RequestLife time.Duration `yaml:"request_life"`

	// Notice is a file with what people are told on the page where they sign in, such as a
	// time at which services do not work: YAML with the fields ru and en. It is read for
	// each page. Empty, and a file that is not there: nothing.
	Notice string `yaml:"notice"`
}

// Admin is the listener of health and metrics.
type Admin struct {
	// Listen must be a loopback IP address and port: there is no
	// authentication.
	Listen string `yaml:"listen"`
}

// Trust says where the trust data are.
type Trust struct {
	// Dir is the trust directory: roots/, pins.txt, tsl.xml, tsl-signers/,
	// intermediates/ and crls/.
	Dir string `yaml:"dir"`

	// Reload is how often the directory is read again. A snapshot that does not
	// load leaves the previous one in force.
	Reload time.Duration `yaml:"reload"`

	// MaxAge is how old the list of accredited certification authorities may
	// be, by the date written in it. After that nobody signs in, and readiness
	// is false.
	MaxAge time.Duration `yaml:"max_age"`

	// StateDir is where fetched trust data are kept over a restart, with what was
	// accepted once. It must not be inside Dir. Empty means that nothing is
	// fetched.
	StateDir string `yaml:"state_dir"`

	// Refresh says what is fetched.
	Refresh Refresh `yaml:"refresh"`
}

// OIDC is the OpenID Connect provider.
type OIDC struct {
	// Key is a PEM file, or the PKCS #11 URI, of the key that signs identity tokens: P-256 (ES256)
	// or RSA of at least 2048 bits (RS256). Empty means a key that lives as
	// long as the process; services that read the key set follow by themselves.
	Key string `yaml:"key"`

	// SubjectSecret is a file, or the PKCS #11 URI of a private data object, with at least 32 bytes in hexadecimal. It turns
	// ИНН and СНИЛС into the claim "sub". Whoever changes it changes every sub.
	SubjectSecret string `yaml:"subject_secret"`

	// CodeLife is how long an authorization code is good for.
	CodeLife time.Duration `yaml:"code_life"`

	// TokenLife is how long identity and access tokens are good for.
	TokenLife time.Duration `yaml:"token_life"`

	// BackChannelCA is a PEM file with the roots that services are verified with when they
	// are told that a visit has ended; empty means those of the operating system.
	BackChannelCA string `yaml:"backchannel_ca"`

	// Clients are the services that may ask who the person is.
	Clients []Client `yaml:"clients"`
}

// Client is one service that relies on the identity.
type Client struct {
	// ID is the client_id.
	ID string `yaml:"id"`

	// Name is what people see: «Личный кабинет».
	Name string `yaml:"name"`

	// URL is where people start; pages link to it.
	URL string `yaml:"url"`

	// SecretFile is a file with the client secret, or the PKCS #11 URI of a private data
	// object. Empty makes a public client,
	// which is held by PKCE alone.
	SecretFile string `yaml:"secret_file"`

	// RedirectURIs are compared byte for byte.
	RedirectURIs []string `yaml:"redirect_uris"`

	// PostLogoutRedirectURIs are compared byte for byte.
	PostLogoutRedirectURIs []string `yaml:"post_logout_redirect_uris"`

	// BackChannelLogoutURI is where the service takes logout tokens; empty is nowhere.
	BackChannelLogoutURI string `yaml:"backchannel_logout_uri"`
}

// Cabinet is where holders of one kind of certificate belong.
type Cabinet struct {
	// Name is what people see.
	Name string `yaml:"name"`
	// URL leads there; empty when there is only the name.
	URL string `yaml:"url"`
}

// Support is where people find help.
type Support struct {
	// URL is the address of the support page, "https://…" or "mailto:…". Empty is the form of
	// the gateway, where there are accounts.
	URL string `yaml:"url"`
}

// Log is what is logged.
type Log struct {
	// Level is "debug", "info", "warn" or "error".
	Level string `yaml:"level"`
}

// Limits bounds what one client may cost.
type Limits struct {
	// Body is how much of a verify request may be held in memory, in bytes: a body in
	// JSON, and the signature of any other body without the document.
	Body int64 `yaml:"body"`

	// Document is how long the body of a verify request with a document may be, in
	// bytes. Documents are hashed while they arrive and are not held.
	Document int64 `yaml:"document"`

	// Batch is how many signatures one batch may have.
	Batch int `yaml:"batch"`

	// Verifications is how many verify requests run at once; the others wait,
	// for at most VerifyWait. There is memory for twice as many bodies of the
	// longest sort.
	Verifications int `yaml:"verifications"`

	// VerifyWait is how long a verify request waits for its turn before it is
	// answered with 503.
	VerifyWait time.Duration `yaml:"verify_wait"`

	// Sessions is how many judged sign-ins are kept at once, from the one-time
	// ticket to the end of the access token. Nothing is kept for a person who
	// has not shown a good certificate yet.
	Sessions int `yaml:"sessions"`

	// Handshake is how long a TLS handshake may take, a person's PIN included.
	Handshake time.Duration `yaml:"handshake"`

	// HandshakesPerAddress is how many handshakes one IPv4 address, or IPv6
	// network of 64 bits, may be in at once; a host takes 1024 in all. Behind a
	// balancer that hides the addresses of clients it must be 1024.
	HandshakesPerAddress int `yaml:"handshakes_per_address"`

	// Shutdown is how long requests under way may take to finish.
	Shutdown time.Duration `yaml:"shutdown"`
}

// Default returns the values of fields that a file leaves out. It does not pass
// [Config.Validate]: hosts, keys and the trust directory have no default.
func Default() Config {
	return Config{
		SignIn: SignIn{
			Kinds:       []string{"ip"},
			Methods:     []string{MethodGOSTTLS},
			TicketLife:  time.Minute,
			RequestLife: 10 * time.Minute,
		},
		GOSTTLS: GOSTTLS{
			Suites:         suiteNames(),
			SessionLife:    10 * time.Minute,
			TicketRotation: time.Hour,
		},
		Admin:      Admin{Listen: "127.0.0.1:9090"},
		Trust:      Trust{Reload: time.Minute, MaxAge: 7 * 24 * time.Hour, Refresh: defaultRefresh()},
		Revocation: defaultRevocation(), Verification: defaultVerification(),
		HSM:          defaultHSM(),
		OIDC:         OIDC{CodeLife: time.Minute, TokenLife: 5 * time.Minute},
		Challenge:    defaultChallenge(),
		Check:        defaultCheck(),
		Journal:      defaultJournal(),
		Mail:         defaultMail(),
		Profile:      defaultProfile(),
		Registration: defaultRegistration(),
		Login:        defaultLogin(),
		Visits:       defaultVisits(),
		API:          API{Page: true, Keys: []APIKey{}},
		Log:          Log{Level: "info"},
		Limits: Limits{
			Body:                 32 << 20,
			Document:             4 << 30,
			Batch:                1000,
			Verifications:        16,
			VerifyWait:           5 * time.Second,
			Sessions:             100000,
			Handshake:            2 * time.Minute,
			HandshakesPerAddress: 128,
			Shutdown:             10 * time.Second,
		},
	}
}

// Load reads and validates the file at path. Relative paths in it are taken from
// the directory of the file. The error wraps an *fs.PathError if and only if the
// file cannot be read; any other is that of [Parse] or of [Config.Validate].
func Load(path string) (Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, fmt.Errorf("config: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return Config{}, fmt.Errorf("config: %w", err)
	}
	c, err := Parse(data)
	if err != nil {
		return Config{}, err
	}
	c.resolve(filepath.Dir(path))
	return c, c.Validate()
}

// Parse reads a configuration without validating it and without touching its
// relative paths. Unknown and repeated fields, and more than one document, are
// errors.
func Parse(data []byte) (Config, error) {
	if len(data) > maxFile {
		return Config{}, fmt.Errorf("config: the file is longer than %d bytes", maxFile)
	}
	c := Default()
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		if errors.Is(err, io.EOF) {
			return Config{}, errors.New("config: the file is empty")
		}
		return Config{}, fmt.Errorf("config: %w", err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Config{}, errors.New("config: more than one YAML document in the file")
	}
	return c, nil
}

// resolve makes the relative paths of c relative to dir, those in URIs too.
func (c *Config) resolve(dir string) {
	c.Challenge.Keys = append([]string{}, c.Challenge.Keys...)
	c.OIDC.Clients = append([]Client(nil), c.OIDC.Clients...)
	paths := []*string{&c.Trust.Dir, &c.Trust.StateDir, &c.Journal.Path, &c.Accounts.Path, &c.Report.Certificate, &c.HSM.PINFile, &c.Verification.PINFile,
		&c.Mail.CA, &c.Mail.PasswordFile, &c.Levels.Path, &c.SignIn.Notice, &c.OIDC.BackChannelCA,
		&c.Registration.Agreement, &c.Registration.Register.File, &c.Registration.Register.TokenFile}
	for _, t := range []*TLS{&c.Public.TLS, &c.SignIn.TLS} {
		paths = append(paths, &t.Certificate, &t.GOSTCertificate)
	}
	for _, f := range c.keyFields() {
		if uri.Is(*f.value) {
			*f.value = resolveURI(*f.value, dir)
		} else {
			paths = append(paths, f.value)
		}
	}
	for _, module := range []*string{&c.HSM.Module, &c.Verification.Module} {
		*module = resolveModule(*module, dir)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}

//go:embed sample.yaml
var sample []byte

// Sample returns a documented configuration file that passes [Config.Validate].
func Sample() []byte { return bytes.Clone(sample) }
