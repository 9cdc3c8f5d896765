package metrics

import "github.com/prometheus/client_golang/prometheus"

// WatchAccounts adds accounts to the metrics. The function says how many events of accounts
// wait for the journal; it is called at the time of a scrape and must be safe for concurrent
// use. It may be called once.
func (m *Metrics) WatchAccounts(waiting func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "propusk_accounts_events_waiting",
		Help: "Events of accounts that are not in the journal yet, at most 1000; -1 if the store of accounts cannot be read.",
	}, func() float64 { return float64(waiting()) }))
}
