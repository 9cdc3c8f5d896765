package config

import (
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"propusk/tokens/uri"
)

// HSM is for keys and secrets in tokens and HSMs: every field that names the file of a
// key or of a secret may hold a PKCS #11 URI (RFC 7512) instead.
type HSM struct {
	// Module is the PKCS#11 library of URIs that name none.
	Module string `yaml:"module"`

	// PINFile holds the PIN for URIs without pin-source. Nobody but the user that this
	// program runs as may read it.
	PINFile string `yaml:"pin_file"`

	// Sessions is how many operations one token does at once, the others wait: of tokens
	// on USB, one.
	Sessions int `yaml:"sessions"`
}

// maxHSMSessions bounds the sessions with a token.
const maxHSMSessions = 64

func defaultHSM() HSM { return HSM{Sessions: 1} }

// URI reads a PKCS #11 URI and fills in what it leaves out.
func (h HSM) URI(text string) (uri.URI, error) {
	u, err := uri.Parse(text)
	if err != nil {
		return uri.URI{}, err
	}
	if u.ModulePath == "" && u.ModuleName == "" {
		u.ModulePath = h.Module
	}
	if u.PINFile == "" {
		u.PINFile = h.PINFile
	}
	return u, nil
}

// keyField is a field that may hold a URI.
type keyField struct {
	name   string
	value  *string
	secret bool // data, not a key
}

// keyFields are all of them, in the order of the file.
func (c *Config) keyFields() []keyField {
	all := []keyField{
		{"public.tls.key", &c.Public.TLS.Key, false}, {"public.tls.gost_key", &c.Public.TLS.GOSTKey, false},
		{"signin.tls.key", &c.SignIn.TLS.Key, false}, {"signin.tls.gost_key", &c.SignIn.TLS.GOSTKey, false},
		{"oidc.key", &c.OIDC.Key, false}, {"oidc.subject_secret", &c.OIDC.SubjectSecret, true},
	}
	for i := range c.OIDC.Clients {
		all = append(all, keyField{"oidc.clients[" + strconv.Itoa(i) + "].secret_file", &c.OIDC.Clients[i].SecretFile, true})
	}
	for i := range c.Challenge.Keys {
		all = append(all, keyField{"challenge.keys[" + strconv.Itoa(i) + "]", &c.Challenge.Keys[i], false})
	}
	return append(all, keyField{"report.key", &c.Report.Key, false}, keyField{"accounts.secret", &c.Accounts.Secret, true})
}

// resolveModule makes the relative path of a library relative to dir, that of a directory
// of soft tokens too.
func resolveModule(path, dir string) string {
	rest, soft := strings.CutPrefix(path, softTokens)
	if rest == "" || filepath.IsAbs(rest) {
		return path
	}
	if rest = filepath.Join(dir, rest); soft {
		return softTokens + rest
	}
	return rest
}

// resolveURI does so with the library and the PIN file of a URI. A URI that cannot be read
// stays as it is, for Validate to refuse.
func resolveURI(text, dir string) string {
	u, err := uri.Parse(text)
	if err != nil {
		return text
	}
	u.ModulePath = resolveModule(u.ModulePath, dir)
	if u.PINFile != "" && !filepath.IsAbs(u.PINFile) {
		u.PINFile = filepath.Join(dir, u.PINFile)
	}
	return u.String()
}

func (k *checker) hsm(c Config) {
	k.that(c.HSM.Sessions >= 1 && c.HSM.Sessions <= maxHSMSessions, "hsm.sessions", "must be between 1 and 64")
	for _, f := range c.keyFields() {
		if !uri.Is(*f.value) {
			continue
		}
		if err := c.HSM.usable(*f.value, f.secret); err != nil {
			k.that(false, f.name, err.Error())
		}
	}
}

// usable says what a URI lacks to name a key, or a secret.
func (h HSM) usable(text string, secret bool) error {
	u, err := h.URI(text)
	if err != nil {
		return err
	}
	kinds := []uri.Type{"", uri.Private}
	if secret {
		kinds = []uri.Type{"", uri.Data}
	}
	switch {
	case !slices.Contains(kinds, u.Type):
		return errors.New("the URI must have type=" + string(kinds[1]) + ", or no type")
	case secret && u.Object == "":
		return errors.New("the URI must have object=, the label of the data object")
	case secret && u.ID != nil:
		return errors.New("the URI must not have id=: data objects have none")
	case u.Object == "" && u.ID == nil:
		return errors.New("the URI must have object= or id=")
	case u.ModulePath == "" && u.ModuleName == "":
		return errors.New("the URI must have module-path=, or hsm.module must be set")
	case u.PINFile == "":
		return errors.New("the URI must have pin-source=file:…, or hsm.pin_file must be set")
	}
	return nil
}
