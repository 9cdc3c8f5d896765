package config

import "propusk/tokens/uri"

// Report says who signs verdict documents. Without a certificate they are not
// signed, and a request for a signed one is refused.
type Report struct {
	// Certificate is a PEM chain with a GOST R 34.10-2012 key, the leaf first: that of
	// the service, not of a person.
	Certificate string `yaml:"certificate"`

	// Key is the key of Certificate: PKCS#8 PEM, or a PKCS #11 URI.
	Key string `yaml:"key"`
}

// Configured reports whether reports are signed.
func (r Report) Configured() bool { return r.Certificate != "" }

func (k *checker) report(r Report) {
	k.that(r.Certificate == "" || r.Key != "", "report.key", "must be set when report.certificate is")
	k.that(r.Key == "" || r.Certificate != "", "report.certificate", "must be set when report.key is")
}

// Secret is a file that nobody but this program may read.
type Secret struct {
	Field string // "report.key"
	Path  string
}

// Secrets returns the files with secrets that the configuration names, in the order
// of its fields.
func (c Config) Secrets() []Secret {
	var all []Secret
	for _, f := range c.keyFields() {
		if !uri.Is(*f.value) {
			all = append(all, Secret{f.name, *f.value})
		}
	}
	all = append(all, Secret{"hsm.pin_file", c.HSM.PINFile}, Secret{"verification.pin_file", c.Verification.PINFile},
		Secret{"mail.password_file", c.Mail.PasswordFile})
	named := all[:0]
	for _, s := range all {
		if s.Path != "" {
			named = append(named, s)
		}
	}
	return named
}
