package tsl

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata" // the model takes Moscow time from elsewhere
)

// model tells the status of a record on a day the slow way: it goes through all
// changes in the order of time up to the end of the day.
type model struct {
	moscow  *time.Location
	changes []StatusChange // history, then the current one
	current StatusChange
}

// midnight returns the end of the Moscow day of a moment.
func (m *model) midnight(at time.Time) time.Time {
	y, month, d := at.In(m.moscow).Date()
	return time.Date(y, month, d+1, 0, 0, 0, 0, m.moscow)
}

// status returns the value on the Moscow day of a moment, empty before the first one.
func (m *model) status(at time.Time) string {
	value, since := "", time.Time{}
	for _, c := range m.changes {
		v := c.Value
		if ended := m.current.Value != "" && m.current.Value != InForce; ended && v == InForce && c.Since.After(m.current.Since) {
			v = m.current.Value // nothing begins after the end
		}
		switch {
		case !c.Since.Before(m.midnight(at)): // not yet
		case value == "" || c.Since.After(since), c.Since.Equal(since) && v != InForce:
			value, since = v, c.Since
		}
	}
	return value
}

// randomRecord makes a record with changes that crowd on few days, those on which
// Moscow changed its clocks among them.
func randomRecord(r *rand.Rand, moscow *time.Location) (*CA, model) {
	days := []time.Time{time.Date(2014, 10, 25, 0, 0, 0, 0, moscow), time.Date(2013, 12, 31, 0, 0, 0, 0, moscow)}
	for range 1 + r.IntN(4) {
		days = append(days, time.Date(2012+r.IntN(4), time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, moscow))
	}
	values := []string{InForce, InForce, InForce, Suspended, Terminated, Annulled, "Реорганизована"}
	change := func() StatusChange {
		second := []int{0, 0, 1, 43200, 86399, 86400, r.IntN(86400)}[r.IntN(7)]
		return StatusChange{values[r.IntN(len(values))], days[r.IntN(len(days))].Add(time.Duration(second) * time.Second).UTC()}
	}
	ca := &CA{}
	for range r.IntN(7) {
		ca.History = append(ca.History, change())
	}
	if r.IntN(2) == 0 {
		ca.Current = change()
	}
	ca.buildTimeline()
	m := model{moscow: moscow, changes: ca.History, current: ca.Current}
	if ca.Current.Value != "" {
		m.changes = append(m.changes[:len(m.changes):len(m.changes)], ca.Current)
	}
	return ca, m
}

// moments yields three moments of every day of some years: the first, the last and
// one between.
func moments(r *rand.Rand, moscow *time.Location, visit func(time.Time)) {
	for d := time.Date(2011, 12, 1, 0, 0, 0, 0, moscow); d.Year() < 2017; d = d.AddDate(0, 0, 1) {
		next := d.AddDate(0, 0, 1)
		visit(d)
		visit(next.Add(-1))
		visit(d.Add(time.Duration(r.Int64N(int64(next.Sub(d))))))
	}
}

// TestIntervals holds histories of every kind against the model, day by day.
func TestIntervals(t *testing.T) {
	moscow, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(17, 11))
	for n := range 60 {
		ca, m := randomRecord(r, moscow)
		moments(r, moscow, func(at time.Time) {
			if problem := disagrees(ca.Accredited(at), m.status(at), len(m.changes) > 0, at); problem != "" {
				t.Fatalf("record %d on %s: %s\n%+v\n%+v", n, at.In(moscow), problem, ca.History, ca.Current)
			}
		})
	}
}

// disagrees says how a Status differs from what the model says of a moment.
func disagrees(s Status, value string, changed bool, at time.Time) string {
	known := changed && (value == "" || knownStatus(value))
	switch {
	case s.Value != value || s.InForce != (value == InForce) || s.Known != known:
		return fmt.Sprintf("%+v, want %q", s, value)
	case s.Value != "" && at.Before(s.Since), !s.Until.IsZero() && !at.Before(s.Until):
		return fmt.Sprintf("%+v is not about it", s)
	}
	return ""
}

// TestRecordsOfOne: a certificate of several records is in force when any of them is.
func TestRecordsOfOne(t *testing.T) {
	moscow, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(14, 2))
	for n := range 40 {
		var records []*CA
		var models []model
		for range 2 + r.IntN(2) {
			ca, m := randomRecord(r, moscow)
			records, models = append(records, ca), append(models, m)
		}
		all := union(records)
		moments(r, moscow, func(at time.Time) {
			want := false
			for i := range models {
				want = want || models[i].status(at) == InForce
			}
			if s := all.Accredited(at); s.InForce != want || want && !s.Known {
				t.Fatalf("records %d on %s: %+v, want %v", n, at.In(moscow), s, want)
			}
		})
	}
}

// TestHeir follows powers that were transferred.
func TestHeir(t *testing.T) {
	p := newPublisher(t)
	record := func(ogrn, successor string, history ...StatusChange) *CA {
		return &CA{Name: ogrn, OGRN: ogrn, SuccessorOGRN: successor, History: history}
	}
	begin, end, later := StatusChange{InForce, day(2014, 1, 1)}, StatusChange{Terminated, day(2016, 1, 1)}, StatusChange{Annulled, day(2018, 1, 1)}
	l := p.verified(t, &Content{Version: 1, Date: day(2026, 7, 23), CAs: []*CA{
		record("1", "2", begin, end), record("2", "3", begin, later), record("3", "", begin),
		record("4", "5", begin, end), record("5", "4", begin, end), // to one another
		record("6", "3", begin, StatusChange{Suspended, day(2016, 1, 1)}),
		record("7", "3", begin, StatusChange{"Реорганизована", day(2016, 1, 1)}),
		record("8", "99", begin, end), record("9", "", begin, end),
		record("10", "11", begin, end), record("11", "", begin, end), record("11", "", StatusChange{InForce, day(2017, 1, 1)}),
		record("12", "12", begin, end),
	}})
	// Powers that went from hand to hand too often are lost.
	chain := &Content{Version: 1, Date: day(2026, 7, 23)}
	for i := range maxHeirs + 2 {
		chain.CAs = append(chain.CAs, record(fmt.Sprint(i), fmt.Sprint(i+1), begin, end))
	}
	chain.CAs[maxHeirs+1].History = []StatusChange{begin}
	long := p.verified(t, chain)
	for i, ca := range long.Content().CAs[:maxHeirs+1] {
		if _, ok := long.Heir(ca, day(2017, 1, 1)); ok != (i > 0) {
			t.Errorf("%d times: %v", maxHeirs+1-i, ok)
		}
	}
	for _, v := range []struct {
		of, on, want string
	}{
		{"1", "2015-06-01", ""}, // still its own
		{"1", "2016-01-01", "2"}, {"1", "2017-12-31", "2"}, {"1", "2018-01-01", "3"},
		{"2", "2018-01-01", "3"}, {"1", "2013-12-31", ""},
		{"4", "2017-01-01", ""}, {"6", "2017-01-01", ""}, {"7", "2017-01-01", ""}, {"8", "2017-01-01", ""}, {"9", "2017-01-01", ""},
		{"10", "2016-12-31", ""}, {"10", "2017-01-01", "11"}, {"12", "2017-01-01", ""},
	} {
		for _, ca := range l.Content().CAs {
			if ca.OGRN != v.of {
				continue
			}
			heir, ok := l.Heir(ca, at(t, v.on))
			if ok != (v.want != "") || ok && (heir.OGRN != v.want || !heir.Accredited(at(t, v.on)).InForce) {
				t.Errorf("%s on %s: %+v, %v, want %q", v.of, v.on, heir, ok, v.want)
			}
		}
	}
}
