package level

import (
	"slices"
	"testing"
	"time"
)

func TestNames(t *testing.T) {
	for _, l := range []Level{Open, Password, TwoFactor, Mobile, QES} {
		parsed, err := Parse(l.String())
		if err != nil || parsed != l {
			t.Errorf("%s: %v, %v", l, parsed, err)
		}
		back, ok := ParseACR(l.ACR())
		if !ok || back != l {
			t.Errorf("%s: %v, %v", l.ACR(), back, ok)
		}
	}
	if got := QES.ACR(); got != "urn:propusk:acr:qes" {
		t.Errorf("services rely on another ACR than %q", got)
	}
	for _, name := range []string{"", "QES", "key", "urn:propusk:acr:qes"} {
		if _, err := Parse(name); err == nil {
			t.Errorf("%q is a level", name)
		}
	}
	for _, acr := range []string{"", "qes", "urn:propusk:acr:", "urn:propusk:acr:QES", "urn:mace:incommon:iap:silver"} {
		if _, ok := ParseACR(acr); ok {
			t.Errorf("%q is an ACR", acr)
		}
	}
	if _, err := Level(99).MarshalText(); err == nil {
		t.Error("there is a level 99")
	}
	if Level(0) != Open || !slices.IsSorted([]Level{Open, Password, TwoFactor, Mobile, QES}) {
		t.Error("the order of the levels")
	}
}

// TestBest: of what was proven, what is wanted, and nothing less.
func TestBest(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	key := Proof{Level: QES, AMR: []string{Software}, At: noon.Add(-time.Hour)}
	token := Proof{Level: QES, AMR: []string{Hardware}, At: noon.Add(-2 * time.Hour)}
	password := Proof{Level: Password, AMR: []string{"pwd"}, At: noon.Add(-time.Minute)}
	for name, c := range map[string]struct {
		need   Need
		proofs []Proof
		want   *Proof
	}{
		"nothing proven":                    {Need{}, nil, nil},
		"anything does":                     {Need{}, []Proof{password}, &password},
		"the strongest":                     {Need{}, []Proof{password, key}, &key},
		"a password where a key is wanted":  {Need{Level: QES}, []Proof{password}, nil},
		"a key where a password is wanted":  {Need{Level: Password}, []Proof{key}, &key},
		"only the password is fresh enough": {Need{Level: Password, Since: noon.Add(-10 * time.Minute)}, []Proof{key, password}, &password},
		"the key is too old":                {Need{Level: QES, Since: noon.Add(-10 * time.Minute)}, []Proof{key, password}, nil},
		"at the very moment":                {Need{Level: QES, Since: key.At}, []Proof{key}, &key},
		"a key that may leave its device":   {Need{Level: QES, Physical: true}, []Proof{key}, nil},
		"a token":                           {Need{Level: QES, Physical: true}, []Proof{key, token}, &token},
		"the newest of equals":              {Need{Level: QES}, []Proof{token, key}, &key},
	} {
		got, ok := c.need.Best(c.proofs)
		if ok != (c.want != nil) || ok && (got.Level != c.want.Level || !got.At.Equal(c.want.At)) {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
}

func TestAdd(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	first := Add(nil, Proof{Level: Password, At: noon})
	second := Add(first, Proof{Level: QES, At: noon})
	third := Add(second, Proof{Level: Password, At: noon.Add(time.Second)})
	older := Add(third, Proof{Level: Password, At: noon})
	if len(first) != 1 || len(second) != 2 || len(third) != 2 || len(older) != 2 {
		t.Fatalf("%v, %v, %v, %v", first, second, third, older)
	}
	if !first[0].At.Equal(noon) {
		t.Error("the argument was changed")
	}
	for _, proofs := range [][]Proof{third, older} {
		if got, ok := (Need{Since: noon.Add(time.Second)}).Best(proofs); !ok || got.Level != Password {
			t.Errorf("the newest proof is lost: %v", proofs)
		}
	}
}
