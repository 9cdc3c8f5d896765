package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"propusk/pki/reason"
)

// addAPI makes the counters of the verify API.
func (m *Metrics) addAPI() {
	m.api = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "propusk_api_requests_total",
		Help: "Requests of the verify API by key (anonymous without one, empty for a wrong one) and result: ok, or why they were turned away.",
	}, []string{"key", "result"})
	m.apiBytes = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "propusk_api_bytes_total",
		Help: "Bytes of the bodies of these requests by key.",
	}, []string{"key"})
	m.registry.MustRegister(m.api, m.apiBytes)
}

// APIRequest counts a request of the verify API, which was served unless there is a
// reason. The id is one of the configuration.
func (m *Metrics) APIRequest(id string, bytes int64, why reason.Code) {
	result := "ok"
	if why != "" {
		result = string(why)
	}
	m.api.WithLabelValues(id, result).Inc()
	if bytes > 0 {
		m.apiBytes.WithLabelValues(id).Add(float64(bytes))
	}
}
