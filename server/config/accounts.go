package config

// Accounts are what the gateway keeps about people. Without them it knows nobody for longer
// than a sign-in.
type Accounts struct {
	// Path is their file. Empty: there are no accounts.
	Path string `yaml:"path"`

	// Secret is a file, or the PKCS #11 URI of a private data object, with at least 32 bytes
	// in hexadecimal. It seals what a copy of the file must not give away. Whoever loses it
	// loses the second factors and passwords of people.
	Secret string `yaml:"secret"`
}

// Kept reports whether there are accounts.
func (a Accounts) Kept() bool { return a.Path != "" }

func (k *checker) accounts(a Accounts, j Journal) {
	k.that(!a.Kept() || j.Path != "", "journal.path", "must be set when accounts.path is: people see their journal")
	k.that(!a.Kept() || a.Secret != "", "accounts.secret", "must be set when accounts.path is")
}
