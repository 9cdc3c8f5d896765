package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// WatchMail adds letters to the metrics. The function says since when the mail server takes
// none, or zero, and how many letters wait; it is called at the time of a scrape and must be
// safe for concurrent use. It may be called once.
func (m *Metrics) WatchMail(state func() (failingSince time.Time, waiting int)) {
	m.registry.MustRegister(m.letters,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "propusk_letters_waiting",
			Help: "Letters that were due when the gateway last looked.",
		}, func() float64 { _, n := state(); return float64(n) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "propusk_mail_failing_since_timestamp_seconds",
			Help: "Since when the mail server takes no letters; 0 while it does.",
		}, func() float64 {
			if since, _ := state(); !since.IsZero() {
				return float64(since.Unix())
			}
			return 0
		}))
	for _, result := range []string{"sent", "retried", "failed"} { // an alarm wants the zero before it
		m.letters.WithLabelValues(result)
	}
}

// Letter counts a try of a letter by what became of it: sent, retried or failed.
func (m *Metrics) Letter(result string) { m.letters.WithLabelValues(result).Inc() }

func (m *Metrics) addMail() {
	m.letters = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "propusk_letters_total",
		Help: "Letters by what became of them: sent, retried (tried in vain, and tried again), failed (given up).",
	}, []string{"result"})
}
