package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"propusk/pki/sigalg"
)

// addEngine makes the counters of the module that verifies signatures.
func (m *Metrics) addEngine() {
	m.computed = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "propusk_engine_signatures_total",
		Help: "Signatures that the module was asked about: good, bad, lost (nobody answered), fallback (this program answered alone), disagreement (an alarm).",
	}, []string{"outcome"})
	m.computing = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "propusk_engine_duration_seconds",
		Help:    "Time of the module for one signature, waiting for it included.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15),
	})
}

// WatchEngine adds what the module that verifies signatures does to the metrics. The
// function says whether it is lost; it is called at the time of a scrape and must be safe
// for concurrent use. It may be called once, before anything is computed.
func (m *Metrics) WatchEngine(lost func() bool) {
	m.registry.MustRegister(m.computed, m.computing, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "propusk_engine_lost",
		Help: "1 while the module that verifies signatures does not answer.",
	}, func() float64 {
		if lost() {
			return 1
		}
		return 0
	}))
	for o := sigalg.Lost; o <= sigalg.Disagreement; o++ {
		m.computed.WithLabelValues(o.String()) // an alarm wants the zero before it
	}
}

// WatchKeys adds how many of the tokens and keys of the gateway are lost to the metrics.
// The function is called at the time of a scrape and must be safe for concurrent use. It
// may be called once.
func (m *Metrics) WatchKeys(lost func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "propusk_keys_lost",
		Help: "Tokens with keys of the gateway, and keys in them, that could not be reached when they were last needed; /readyz names them.",
	}, func() float64 { return float64(lost()) }))
}

// Computed counts a signature that the module was asked about.
func (m *Metrics) Computed(c sigalg.Computed) {
	m.computed.WithLabelValues(c.Outcome.String()).Inc()
	m.computing.Observe(c.Took.Seconds())
}
