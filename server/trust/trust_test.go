package trust

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"propusk/certs"
	"propusk/certs/testpki"
	"propusk/pki/reason"
)

func TestGuard(t *testing.T) {
	country, err := testpki.New(testpki.Options{Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := country.WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	listed := certs.Source{Dir: filepath.Join(dir, "trust")}
	store := certs.NewStore(listed, time.Now)
	now := time.Now()
	g := Guard{Store: store, MaxAge: time.Hour, Now: func() time.Time { return now }}
	want := func(what string, code reason.Code) {
		t.Helper()
		snap, err := g.Current()
		if reason.Of(err) != code || snap == nil {
			t.Errorf("%s: %v, want %q", what, err, code)
		}
		if (g.ForVerdicts().Accredited != nil) != (code == "") {
			t.Errorf("%s: judged by a list although %q", what, code)
		}
	}
	want("before the first load", reason.TrustDataAbsent)
	if err := store.Reload(context.Background()); err != nil {
		t.Fatal(err)
	}
	want("fresh", "")
	list := store.Current().Trust().Accredited.Date()
	now = list.Add(time.Hour)
	want("as old as allowed", "")
	now = list.Add(time.Hour + 1)
	want("older", reason.TrustDataStale)
	now = list.Add(-24 * time.Hour)
	want("of tomorrow", "")
	now = list.Add(-24*time.Hour - 1)
	want("of the future", reason.TrustDataStale)

	if err := os.Remove(filepath.Join(dir, "trust", "tsl.xml")); err != nil {
		t.Fatal(err)
	}
	g.Store = certs.NewStore(listed, time.Now)
	if err := g.Store.Reload(context.Background()); err != nil {
		t.Fatal(err)
	}
	want("without a list", reason.TrustDataAbsent)
}
