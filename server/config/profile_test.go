package config

import (
	"strings"
	"testing"
	"time"
)

// TestProfile: each field of the section has its bounds.
func TestProfile(t *testing.T) {
	for field, spoil := range map[string]func(*Profile){
		"profile.email_link_life":    func(p *Profile) { p.EmailLinkLife = time.Minute },
		"profile.confirm_for":        func(p *Profile) { p.ConfirmFor = 25 * time.Hour },
		"profile.entrepreneur_years": func(p *Profile) { p.EntrepreneurYears = -1 },
	} {
		c := parsed(t, string(Sample()))
		spoil(&c.Profile)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), field+": ") {
			t.Errorf("%s: %v", field, err)
		}
	}
	if (Default().Profile == Profile{}) {
		t.Error("a file without the section has no times")
	}
}
