package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// WatchJournal adds the journal to the metrics. The function says when its head was noted in
// the log and how many records it has; it is called at the time of a scrape and must be safe
// for concurrent use. It may be called once.
func (m *Metrics) WatchJournal(noted func() (at time.Time, records uint64)) {
	m.registry.MustRegister(m.journalled,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "propusk_journal_records",
			Help: "Records in the journal; 0 also if it cannot be read.",
		}, func() float64 { _, n := noted(); return float64(n) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "propusk_journal_head_noted_timestamp_seconds",
			Help: "When the head of the journal was last written to the log; 0 if it cannot be read.",
		}, func() float64 {
			if at, _ := noted(); !at.IsZero() {
				return float64(at.Unix())
			}
			return 0
		}))
	for _, kind := range []string{"sign-in", "signature", "operator", "account"} {
		for _, result := range []string{"appended", "failed"} { // an alarm wants the zero before it
			m.journalled.WithLabelValues(kind, result)
		}
	}
}

// Journalled counts an event for the journal by its kind.
func (m *Metrics) Journalled(kind string, err error) {
	result := "appended"
	if err != nil {
		result = "failed"
	}
	m.journalled.WithLabelValues(kind, result).Inc()
}

func (m *Metrics) addJournal() {
	m.journalled = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "propusk_journal_events_total",
		Help: "Events for the journal by kind and result: appended, or failed.",
	}, []string{"kind", "result"})
}
