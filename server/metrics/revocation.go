package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"propusk/pki/revocation"
)

// WatchRevocation adds what asking servers about revocation comes to. The function is
// called at the time of a scrape and must be safe for concurrent use. It may be called
// once.
func (m *Metrics) WatchRevocation(stats func() revocation.Stats) {
	m.registry.MustRegister(newAsking(stats))
}

// asking says how asking responders and distribution points goes.
type asking struct {
	stats                                                   func() revocation.Stats
	asked, failed, skipped, reused, answers, lists, resting *prometheus.Desc
}

func newAsking(stats func() revocation.Stats) *asking {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("propusk_revocation_"+name, help, nil, nil)
	}
	return &asking{
		stats:   stats,
		asked:   desc("questions_total", "Questions to responders and distribution points while verdicts were made."),
		failed:  desc("question_failures_total", "Of these, those without a usable answer."),
		skipped: desc("skipped_servers_total", "How often a server was left alone because it had failed."),
		reused:  desc("reused_answers_total", "Answers that were remembered and used again."),
		answers: desc("remembered_answers", "OCSP answers that are remembered."),
		lists:   desc("remembered_lists", "Revocation lists that are remembered beside the trust data."),
		resting: desc("resting_servers", "Servers that are being left alone."),
	}
}

// Describe implements prometheus.Collector.
func (a *asking) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{a.asked, a.failed, a.skipped, a.reused, a.answers, a.lists, a.resting} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (a *asking) Collect(ch chan<- prometheus.Metric) {
	s := a.stats()
	for d, n := range map[*prometheus.Desc]uint64{a.asked: s.Asked, a.failed: s.Failed, a.skipped: s.Skipped, a.reused: s.Reused} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n))
	}
	for d, n := range map[*prometheus.Desc]int{a.answers: s.Answers, a.lists: s.Lists, a.resting: s.Resting} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n))
	}
}
