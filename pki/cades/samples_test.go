package cades

import (
	"os"
	"path/filepath"
	"testing"

	"propusk/pki/cms"
	"propusk/pki/reason"
	"propusk/pki/samples"
)

// TestRealSignatures reads the attributes of every real signature: none is
// unreadable. Those of Kazakhstan have time-stamps, of algorithms of that country.
func TestRealSignatures(t *testing.T) {
	files, stamps := 0, 0
	for _, pattern := range []string{"data/cms_signed/*/*.p7*", "data/foreign/kz/*.p7*"} {
		paths, err := filepath.Glob(samples.Path(t, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			sd, err := cms.Parse(data)
			if err != nil {
				continue // what cannot be read is the business of package cms
			}
			files++
			for i := range sd.Signers {
				a, err := Of(&sd.Signers[i], sd)
				if err != nil || len(a.Unreadable) > 0 {
					t.Errorf("%s: %v %v", filepath.Base(path), err, a.Unreadable)
				}
				for _, ts := range a.TimeStamps {
					stamps++
					if ts.Token == nil {
						t.Errorf("%s: %v", filepath.Base(path), ts.Err)
						continue
					}
					if err := a.CheckImprint(ts, cms.Content{}); reason.Of(err) != reason.TimeStampAlgorithm {
						t.Errorf("%s: a digest of another country: %v", filepath.Base(path), err)
					}
				}
			}
		}
	}
	if files < 30 || stamps < 5 {
		t.Errorf("%d files, %d time-stamps", files, stamps)
	}
}
