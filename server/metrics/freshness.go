package metrics

import (
	"encoding/hex"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"propusk/certs"
	"propusk/certs/refresh"
)

// Freshness is what the age of trust data is told from at the time of a scrape. All
// but Refresher must be set, and safe for concurrent use.
type Freshness struct {
	// Trust returns the snapshot in force.
	Trust func() *certs.Snapshot
	// Now returns the time.
	Now func() time.Time
	// UnknownCAs returns how many CAs are not known whose certificates were shown,
	// and how many such certificates were judged.
	UnknownCAs func() (cas, certificates int)
	// Refresher fetches trust data; nil means that nothing is fetched.
	Refresher *refresh.Refresher
}

// WatchFreshness adds what f tells to the metrics. It may be called once.
func (m *Metrics) WatchFreshness(f Freshness) { m.registry.MustRegister(newFreshness(f)) }

// freshness says how old trust data are and how fetching them goes. Labels are key
// identifiers of CAs of the trust data, and reason codes.
type freshness struct {
	Freshness
	listAge, crlIssued, crlDue, crlStale, crls              *prometheus.Desc
	unknownCAs, unknownCertificates                         *prometheus.Desc
	fetched, failing, refused, lastPass, nextPass, orphaned *prometheus.Desc
}

func newFreshness(from Freshness) *freshness {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("propusk_trust_"+name, help, labels, nil)
	}
	return &freshness{
		Freshness:           from,
		listAge:             desc("list_age_seconds", "Age of the list of accredited CAs by its own date; absent if there is none."),
		crls:                desc("crls", "Revocation lists that are good."),
		crlStale:            desc("stale_crls", "Revocation lists past their nextUpdate."),
		crlIssued:           desc("crl_issued_timestamp_seconds", "When the oldest list of a CA was issued, by its key identifier.", "ca"),
		crlDue:              desc("crl_due_timestamp_seconds", "When the first list of a CA is due, by its key identifier.", "ca"),
		orphaned:            desc("orphan_cas", "CA certificates of the list that lead to no pinned root."),
		unknownCAs:          desc("unknown_cas", "CAs that are not known whose certificates were shown; /trust names them."),
		unknownCertificates: desc("unknown_ca_certificates_total", "Judged certificates of CAs that are not known."),
		fetched:             desc("fetched_lists", "Lists that are fetched over the network."),
		failing:             desc("failing_lists", "Of these, lists that no address gave the last time."),
		refused:             desc("fetch_failures_total", "Addresses that gave no good list, by reason code.", "code"),
		lastPass:            desc("refresh_timestamp_seconds", "When lists were fetched last; 0 if never."),
		nextPass:            desc("next_refresh_timestamp_seconds", "When the next list is due to be fetched."),
	}
}

// Describe implements prometheus.Collector.
func (f *freshness) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		f.listAge, f.crlIssued, f.crlDue, f.crlStale, f.crls, f.unknownCAs, f.unknownCertificates,
		f.fetched, f.failing, f.refused, f.lastPass, f.nextPass, f.orphaned,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (f *freshness) Collect(ch chan<- prometheus.Metric) {
	send := func(kind prometheus.ValueType, d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) { send(prometheus.GaugeValue, d, v, labels...) }
	now, snap := f.Now(), f.Trust()
	if age, ok := snap.ListAge(now); ok {
		gauge(f.listAge, age.Seconds())
	}
	lists := snap.RevocationLists()
	gauge(f.crls, float64(len(lists)))
	gauge(f.crlStale, float64(len(snap.Stale(now))))
	gauge(f.orphaned, float64(len(snap.Orphans())))
	for ca, dates := range byCA(lists) {
		gauge(f.crlIssued, seconds(dates.issued), ca)
		gauge(f.crlDue, seconds(dates.due), ca)
	}
	cas, certificates := f.UnknownCAs()
	gauge(f.unknownCAs, float64(cas))
	send(prometheus.CounterValue, f.unknownCertificates, float64(certificates))
	if f.Refresher == nil {
		return
	}
	s := f.Refresher.Status()
	gauge(f.fetched, float64(len(s.Lists)))
	gauge(f.failing, float64(s.Failing))
	gauge(f.nextPass, seconds(s.Next))
	last := time.Time{}
	if s.Ended != nil {
		last = *s.Ended
	}
	gauge(f.lastPass, seconds(last))
	for code, n := range s.Counts {
		send(prometheus.CounterValue, f.refused, float64(n), string(code))
	}
}

// dates are those of the lists of one CA.
type dates struct{ issued, due time.Time }

// byCA returns the earliest dates of each CA.
func byCA(lists []certs.RevocationList) map[string]dates {
	all := make(map[string]dates)
	for _, l := range lists {
		id := hex.EncodeToString(l.Issuer.SubjectKeyID)
		d, ok := all[id]
		if !ok || l.ThisUpdate.Before(d.issued) {
			d.issued = l.ThisUpdate
		}
		if !ok || l.NextUpdate.Before(d.due) {
			d.due = l.NextUpdate
		}
		all[id] = d
	}
	return all
}

// seconds is a moment as Prometheus has it; 0 if there is none.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.Unix())
}
