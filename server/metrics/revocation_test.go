package metrics

import (
	"strings"
	"testing"

	"propusk/certs"
	"propusk/pki/revocation"
)

func TestRevocation(t *testing.T) {
	m := New(Gauges{
		Trust:    func() *certs.Snapshot { return nil },
		Sessions: func() map[string]int { return nil },
	})
	m.WatchRevocation(func() revocation.Stats {
		return revocation.Stats{Asked: 1, Failed: 2, Skipped: 3, Reused: 4, Answers: 5, Lists: 6, Resting: 7}
	})
	out := scraped(t, m)
	for _, want := range []string{
		"questions_total 1", "question_failures_total 2", "skipped_servers_total 3", "reused_answers_total 4",
		"remembered_answers 5", "remembered_lists 6", "resting_servers 7",
	} {
		if !strings.Contains(out, "\npropusk_revocation_"+want+"\n") {
			t.Errorf("the metrics lack %s:\n%s", want, out)
		}
	}
}
