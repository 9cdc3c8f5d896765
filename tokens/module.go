package tokens

// Info is what a library says about itself.
type Info struct {
	Manufacturer string
	Description  string
	Version      string // of the library: "2.7"
}

// Mechanism is one that a token has.
type Mechanism struct {
	Type           uint // CKM_…
	MinKey, MaxKey uint // in the units of the mechanism
	Flags          uint // CKF_…
}

// Info returns what the library says about itself.
func (m *Module) Info() (Info, error) {
	var info Info
	err := m.do(func(lib library) (err error) {
		info, err = lib.info()
		return err
	})
	return info, err
}

// Mechanisms returns what the token can do.
func (t *Token) Mechanisms() ([]Mechanism, error) {
	var all []Mechanism
	err := t.module.do(func(lib library) (err error) {
		all, err = lib.mechanisms(t.slot)
		return err
	})
	return all, err
}
