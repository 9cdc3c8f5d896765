// Package metrics counts what operators watch, for Prometheus. Labels are taken
// from closed sets only, so no client can make new time series, and none holds
// anything about a person.
package metrics

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"propusk/certs"
	"propusk/gost/gosttls"
	"propusk/pki/reason"
	"propusk/server/request"
)

// Metrics holds the counters of one server. It is safe for concurrent use. Make
// it with New.
type Metrics struct {
	registry *prometheus.Registry

	requests   *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	verdicts   *prometheus.CounterVec
	handshakes *prometheus.CounterVec
	reloads    *prometheus.CounterVec
	api        *prometheus.CounterVec
	apiBytes   *prometheus.CounterVec
	computed   *prometheus.CounterVec
	computing  prometheus.Histogram
	journalled *prometheus.CounterVec
	letters    *prometheus.CounterVec
}

// Gauges are read at the time of a scrape; both functions must be set and safe for
// concurrent use.
type Gauges struct {
	// Trust returns the snapshot in force.
	Trust func() *certs.Snapshot
	// Sessions returns how many values are kept, by sort: "ticket", "code",
	// "token".
	Sessions func() map[string]int
	// Version is the version of the program.
	Version string
}

// New returns metrics with a registry of their own.
func New(g Gauges) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "propusk_http_requests_total",
			Help: "HTTP requests by listener, method, route and status.",
		}, []string{"host", "method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "propusk_http_request_duration_seconds",
			Help:    "Time to answer by listener and route.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16),
		}, []string{"host", "route"}),
		verdicts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "propusk_verdicts_total",
			Help: "Verdicts by what was judged (signin, challenge, order, whoami, check, signature, certificate), conclusion and reason.",
		}, []string{"subject", "conclusion", "reason"}),
		handshakes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "propusk_tls_handshakes_total",
			Help: "TLS handshakes by listener, kind (gost, ordinary, none), version, suite, whether a session was resumed, and result (ok, failed, probe).",
		}, []string{"host", "kind", "version", "suite", "resumed", "result"}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "propusk_trust_reloads_total",
			Help: "Loads of changed trust data by result: ok, or the reason code.",
		}, []string{"result"}),
	}
	m.addAPI()
	m.addEngine()
	m.addJournal()
	m.addMail()
	m.registry.MustRegister(m.requests, m.duration, m.verdicts, m.handshakes, m.reloads, newScrape(g))
	return m
}

// Handler serves the metrics in the formats of Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Request counts a finished request.
func (m *Metrics) Request(o request.Outcome) {
	m.requests.WithLabelValues(o.Host, o.Method, o.Route, strconv.Itoa(o.Status)).Inc()
	m.duration.WithLabelValues(o.Host, o.Route).Observe(o.Took.Seconds())
}

// Verdict counts a verdict. The reason is empty for one that passed.
func (m *Metrics) Verdict(subject, conclusion string, why reason.Code) {
	m.verdicts.WithLabelValues(subject, conclusion, string(why)).Inc()
}

// Handshake counts the end of a TLS handshake on the listener named host. A
// probe of Chromium-Gost is neither a success nor a failure.
func (m *Metrics) Handshake(host string, st gosttls.ConnectionState, err error) {
	conn := request.Describe(st)
	result := "ok"
	switch {
	case errors.Is(err, gosttls.ErrGOSTProbe):
		result = "probe"
	case err != nil:
		result = "failed"
		if st.Version == 0 {
			conn.Kind, conn.Version, conn.Suite = "none", "", ""
		}
	}
	m.handshakes.WithLabelValues(host, conn.Kind, conn.Version, conn.Suite, strconv.FormatBool(st.Resumed), result).Inc()
}

// Reload counts a load of trust data.
func (m *Metrics) Reload(err error) {
	result := "ok"
	if err != nil {
		result = string(reason.Of(err))
	}
	m.reloads.WithLabelValues(result).Inc()
}

// scrape is the part that is read at the time of a scrape.
type scrape struct {
	Gauges
	version, listDate, loaded, quarantined, sessions, build *prometheus.Desc
}

func newScrape(g Gauges) *scrape {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &scrape{
		Gauges:      g,
		version:     desc("propusk_trust_list_version", "Version of the list of accredited CAs in force; 0 if there is none."),
		listDate:    desc("propusk_trust_list_timestamp_seconds", "Date written in the list of accredited CAs; 0 if there is none."),
		loaded:      desc("propusk_trust_loaded_timestamp_seconds", "When the snapshot in force was loaded; 0 if never."),
		quarantined: desc("propusk_trust_quarantined_crls", "Revocation lists that were found and set aside."),
		sessions:    desc("propusk_sessions", "What is kept between requests, by sort: judged sign-ins (ticket, code, token), sign-ins and signings under way (challenge), documents to sign (order), checks of the environment under way (check).", "sort"),
		build:       desc("propusk_build_info", "Always 1; the label says which version runs.", "version"),
	}
}

// Describe implements prometheus.Collector.
func (s *scrape) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{s.version, s.listDate, s.loaded, s.quarantined, s.sessions, s.build} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s *scrape) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	snap := s.Trust()
	n, _ := snap.TSLVersion()
	gauge(s.version, float64(n))
	date := 0.0
	if list := snap.Trust().Accredited; list != nil {
		date = float64(list.Date().Unix())
	}
	gauge(s.listDate, date)
	at := 0.0
	if t := snap.LoadedAt(); !t.IsZero() {
		at = float64(t.Unix())
	}
	gauge(s.loaded, at)
	gauge(s.quarantined, float64(len(snap.Quarantined())))
	for sort, count := range s.Sessions() {
		gauge(s.sessions, float64(count), sort)
	}
	gauge(s.build, 1, s.Version)
}
