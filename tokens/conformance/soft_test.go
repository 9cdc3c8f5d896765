package conformance_test

import (
	"encoding/asn1"
	"os"
	"testing"

	"propusk/tokens"
	"propusk/tokens/conformance"
	"propusk/tokens/soft/softtest"
)

func TestMain(m *testing.M) {
	tokens.ServeIfChild()
	os.Exit(m.Run())
}

// softTokens makes a directory of soft tokens: one with a key of every curve, one key
// without a certificate and one that wants the PIN at each signature, and two with PINs
// that are of no use.
func softTokens(t *testing.T, name string, open func(dir string) (*tokens.Module, error)) conformance.Backend {
	t.Helper()
	token := softtest.New(t, softtest.Options{NoKey: true, Label: "Токен"})
	softtest.New(t, softtest.Options{Dir: token.Dir, Label: "Сменить", MustChange: true, PIN: token.PIN})
	softtest.New(t, softtest.Options{Dir: token.Dir, Label: "Без PIN", NoPIN: true})
	b := conformance.Backend{
		Name: name, Token: token.Label, PIN: token.PIN, Model: "soft",
		Sign256: true, Sign512: true, Curves: conformance.ParamSets(), VKO: true, KEG: true,
		Tries: func(t *testing.T) int { return token.Tries(t) }, MaxTries: 10, TellsLastTry: true,
		Unlock:     func(t *testing.T) { token.Unlock(t) },
		MustChange: "Сменить", Unset: "Без PIN",
		Remove: func(t *testing.T) { token.Remove(t) }, Insert: func(t *testing.T) { token.Insert(t) },
	}
	give := func(o softtest.Options) {
		o.ID = []byte{byte(len(b.Keys) + 1)}
		with := token.Give(t, o)
		if with.Certificate != nil {
			b.Certificates = append(b.Certificates, with.Certificate)
		}
		b.Keys = append(b.Keys, conformance.Key{
			ID: o.ID, ParamSet: o.ParamSet, Public: with.Public, Certificate: with.Certificate, Confirm: o.Confirm,
		})
	}
	for _, set := range conformance.ParamSets() {
		give(softtest.Options{ParamSet: set})
	}
	tc26A := asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 1, 1}
	give(softtest.Options{ParamSet: tc26A, NoCertificate: true})
	give(softtest.Options{ParamSet: tc26A, Confirm: true})
	module, err := open(token.Dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := module.Close(); err != nil {
			t.Error(err)
		}
	})
	b.Module = module
	return b
}

// Soft tokens, in Go: no C, no process.
func TestSoft(t *testing.T) {
	conformance.Run(t, softTokens(t, "soft", func(dir string) (*tokens.Module, error) {
		return tokens.Open(tokens.SoftScheme + dir)
	}))
}
