package metrics

import (
	"strings"
	"testing"
	"time"

	"propusk/certs"
	"propusk/pki/sigalg"
)

// TestEngine: nothing is said without a module; with one all outcomes stand there from
// the beginning, so that the first disagreement is an increase.
func TestEngine(t *testing.T) {
	m := New(Gauges{
		Trust:    func() *certs.Snapshot { return nil },
		Sessions: func() map[string]int { return nil },
	})
	if strings.Contains(scraped(t, m), "propusk_engine_") {
		t.Error("there is no module")
	}
	lost := false
	m.WatchEngine(func() bool { return lost })
	want := func(lines ...string) {
		t.Helper()
		out := scraped(t, m)
		for _, line := range lines {
			if !strings.Contains(out, "\npropusk_engine_"+line+"\n") {
				t.Errorf("the metrics lack %s:\n%s", line, out)
			}
		}
	}
	want(`signatures_total{outcome="disagreement"} 0`, `signatures_total{outcome="lost"} 0`, "lost 0", "duration_seconds_count 0")
	m.Computed(sigalg.Computed{Outcome: sigalg.Disagreement, Took: time.Millisecond})
	m.Computed(sigalg.Computed{Outcome: sigalg.FellBack})
	lost = true
	want(`signatures_total{outcome="disagreement"} 1`, `signatures_total{outcome="fallback"} 1`, "lost 1", "duration_seconds_count 2")
}
