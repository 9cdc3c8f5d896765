package tokens

import (
	"path"
	"slices"
	"strings"
	"testing"
)

func TestModelOf(t *testing.T) {
	for _, c := range []struct{ library, manufacturer, model, want string }{
		{"Propusk", "Propusk", "Propusk soft", "soft"},
		{"", "Propusk", "Propusk soft", "soft"},
		{"Aktiv Co.", "Aktiv Co.", "Rutoken ECP", "rutoken-ecp"},
		{"", "Aktiv Co.", "Rutoken lite", "rutoken-lite"},
		{"OpenSC Project", "Aktiv Co.", "PKCS#15", "opensc"},
		{"", "Aktiv Co.", "PKCS#15", "opensc"},
		{"Aladdin R.D.", "Aladdin R.D.", "JaCarta GOST 2.0", "jacarta-2"},
		{"Aladdin R.D.", "Aladdin R.D.", "eToken GOST", "etoken-gost"},
		{"Aladdin R.D.", "Aladdin R.D.", "JaCarta Laser", "jacarta-pki"},
		{"Aladdin R.D.", "Aladdin R.D.", "PRO", "jacarta-pki"},
		{"SafeNet, Inc.", "SafeNet, Inc.", "eToken", "etoken-pro"},
		{"", "Aladdin Ltd.", "eToken", "etoken-pro"},
		{"", "ISBC", "ESMART Token GOST", "esmart"},
		{"", "Crypto-Pro", "CPPKCS 3", "cryptopro"},
		{"", "", "cppkcs 3", "cryptopro"},
		{"SoftHSM", "SoftHSM project", "SoftHSM v2", "softhsm"},
		{"Somebody", "Somebody", "Something", ""},
		{"", "", "", ""},
	} {
		if got := ModelOf(c.library, c.manufacturer, c.model); got.ID != c.want || got.Known() != (c.want != "") {
			t.Errorf("%q, %q, %q: %q, want %q", c.library, c.manufacturer, c.model, got.ID, c.want)
		}
	}
}

func TestModels(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range models() {
		if m.ID == "" || seen[m.ID] || m.Vendor == "" || m.RU == "" || m.EN == "" {
			t.Errorf("%+v", m.Model)
		}
		seen[m.ID] = true
		for _, k := range m.marks {
			if k == (mark{}) {
				t.Errorf("%s: fits everything", m.ID)
			}
			if got := ModelOf(k.library, k.manufacturer, k.model); got.ID != m.ID {
				t.Errorf("%s: %+v is taken for %s", m.ID, k, got.ID)
			}
		}
		for _, n := range m.Notes {
			if n.RU == "" || n.EN == "" {
				t.Errorf("%s: %+v", m.ID, n)
			}
		}
		if !m.GOST256 && !m.GOST512 && (m.Agreement != AgreementNone || m.KEG) {
			t.Errorf("%s: agrees on keys without having any", m.ID)
		}
		if m.MinPIN > m.MaxPIN {
			t.Errorf("%s: PINs of %d to %d bytes", m.ID, m.MinPIN, m.MaxPIN)
		}
	}
}

func TestLibraries(t *testing.T) {
	for _, goos := range []string{"linux", "windows", "darwin"} {
		seen := map[string]bool{}
		for _, l := range Libraries(goos) {
			if l.Vendor == "" || l.Name == "" || len(l.Paths) == 0 {
				t.Errorf("%s: %+v", goos, l)
			}
			for _, p := range l.Paths {
				absolute := path.IsAbs(p) && goos != "windows" || strings.Contains(p, `:\`) && goos == "windows"
				if !absolute || seen[p] {
					t.Errorf("%s: %q", goos, p)
				}
				seen[p] = true
			}
		}
	}
	if got := Libraries("plan9"); got != nil {
		t.Errorf("%v", got)
	}
	known := []Library{{"A", "a", []string{"/1", "/2"}}, {"B", "b", []string{"/3"}}, {"C", "c", []string{"/4"}}}
	got := installed(known, func(p string) bool { return p == "/2" || p == "/4" })
	if len(got) != 2 || !slices.Equal(got[0].Paths, []string{"/2"}) || got[1].Name != "c" {
		t.Errorf("%v", got)
	}
}
