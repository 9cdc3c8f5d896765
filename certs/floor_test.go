package certs

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"propusk/pki/reason"
)

// FuzzFloor: a floor that is read can be raised and is never lower afterwards; one
// that is damaged is no floor at all.
func FuzzFloor(f *testing.F) {
	for _, seed := range []string{
		`{"tsl_version":16314,"crls":{"ab":"2026-11-20T08:00:00Z"}}`, `{}`, `{"tsl_version":-1}`, `{"crls":null}`, `[]`, `{"tsl_version":1}{}`, `{"x":1}`, "",
	} {
		f.Add([]byte(seed))
	}
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, data []byte) {
		s := state{t.TempDir()}
		if err := os.WriteFile(filepath.Join(s.dir, stateFloor), data, 0o600); err != nil {
			t.Fatal(err)
		}
		was, err := s.readFloor()
		if err != nil && (reason.Of(err) != reason.TrustStateDamaged || was.TSLVersion != 0 || was.CRLs != nil) {
			t.Fatalf("%q: %+v, %v", data, was, err)
		}
		more := floor{TSLVersion: 7, CRLs: map[string]time.Time{"ab": at}}
		if err := s.raiseFloor(more); err != nil {
			t.Fatal(err)
		}
		is, err := s.readFloor()
		if err != nil || is.TSLVersion != max(7, was.TSLVersion) || is.CRLs["ab"].Before(at) {
			t.Fatalf("%q: %+v, %v", data, is, err)
		}
		for key, moment := range was.CRLs {
			if is.CRLs[key].Before(moment) {
				t.Fatalf("%q: %s fell from %s to %s", data, key, moment, is.CRLs[key])
			}
		}
	})
}

// TestFloorIsBounded drops what is oldest.
func TestFloorIsBounded(t *testing.T) {
	f := floor{CRLs: make(map[string]time.Time)}
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	for i := range maxFiles + 10 {
		f.CRLs[time.Duration(i).String()] = at.Add(time.Duration(i) * time.Second)
	}
	got := floor{}.with(f)
	if _, ok := got.CRLs[time.Duration(9).String()]; ok || len(got.CRLs) != maxFiles {
		t.Errorf("%d entries, the oldest is there: %t", len(got.CRLs), ok)
	}
}
