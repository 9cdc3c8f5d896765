package config

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestVerification: by default this program verifies; a module is named when and only
// when it is used.
func TestVerification(t *testing.T) {
	good := parsed(t, string(Sample()))
	if v := Default().Verification; v.External() || v.Both() || v.Fallback() {
		t.Errorf("by default: %+v", v)
	}
	for _, c := range []struct {
		change func(*Verification)
		want   string
	}{
		{func(*Verification) {}, ""},
		{func(v *Verification) { v.Engine, v.Module = "pkcs11", "m.so" }, ""},
		{func(v *Verification) { v.Engine, v.Module, v.WhenLost = "both", "soft:tokens", "fallback" }, ""},
		{func(v *Verification) { v.Engine = "" }, "verification.engine"},
		{func(v *Verification) { v.Engine = "PKCS11" }, "verification.engine"},
		{func(v *Verification) { v.Engine = "both" }, "verification.module"},
		{func(v *Verification) { v.Module = "m.so" }, "verification.module"},
		{func(v *Verification) { v.PINFile = "pin" }, "verification.module"},
		{func(v *Verification) { v.WhenLost = "" }, "verification.when_lost"},
		{func(v *Verification) { v.Sessions = 0 }, "verification.sessions"},
		{func(v *Verification) { v.Sessions = 65 }, "verification.sessions"},
	} {
		one := good
		one.Verification = defaultVerification()
		c.change(&one.Verification)
		err := one.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want+":") {
			t.Errorf("%+v: %v, want %q", one.Verification, err, c.want)
		}
	}
	for path, want := range map[string]string{
		"lib/m.so": "/etc/propusk/lib/m.so", "/opt/m.so": "/opt/m.so", "soft:tokens": "soft:/etc/propusk/tokens", "soft:/srv/t": "soft:/srv/t",
		"pkcs11.so": "/etc/propusk/pkcs11.so", "": "",
	} {
		moved := good
		moved.Verification.Module, moved.Verification.PINFile = path, "pin"
		moved.resolve("/etc/propusk")
		if moved.Verification.Module != filepath.FromSlash(want) || moved.Verification.PINFile != filepath.FromSlash("/etc/propusk/pin") {
			t.Errorf("%q: %+v", path, moved.Verification)
		}
	}
	secret := good
	secret.Verification.PINFile = "pin"
	if !slices.Contains(secret.Secrets(), Secret{"verification.pin_file", "pin"}) {
		t.Error("nobody looks after the file with the PIN")
	}
}
