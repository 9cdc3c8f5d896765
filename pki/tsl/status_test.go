package tsl

import (
	"testing"
	"time"
)

// at reads a moment; without an offset it is Moscow time.
func at(t *testing.T, s string) time.Time {
	t.Helper()
	m, err := parseTime(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestAccredited is a table of histories, each asked about several moments.
func TestAccredited(t *testing.T) {
	type change struct{ value, since string }
	type answer struct{ at, value string } // the empty value: not yet anything
	for name, v := range map[string]struct {
		history []change
		current change
		answers []answer
	}{
		"simple": {
			[]change{{InForce, "2014-03-05"}}, change{},
			[]answer{{"2014-03-04T23:59:59", ""}, {"2014-03-05T00:00:00", InForce}, {"2026-01-01", InForce}},
		},
		"current alone": {
			nil, change{InForce, "2014-03-05"},
			[]answer{{"2014-03-04", ""}, {"2014-03-05", InForce}},
		},
		"terminated": {
			[]change{{InForce, "2014-03-05"}, {Terminated, "2016-07-08"}}, change{Terminated, "2016-07-08"},
			[]answer{{"2016-07-07T23:59:59", InForce}, {"2016-07-08T00:00:00", Terminated}, {"2026-01-01", Terminated}},
		},
		"terminated in the afternoon": { // the day is not in force any more
			[]change{{InForce, "2014-03-05T15:00:00"}, {Terminated, "2016-07-08T15:00:00"}}, change{},
			[]answer{{"2014-03-05T00:00:01", InForce}, {"2016-07-07T23:59:59", InForce}, {"2016-07-08T00:00:01", Terminated}},
		},
		"gap": {
			[]change{{InForce, "2014-03-05"}, {Terminated, "2016-07-08"}, {InForce, "2018-01-01"}}, change{InForce, "2018-01-01"},
			[]answer{{"2016-07-07", InForce}, {"2017-12-31", Terminated}, {"2018-01-01", InForce}},
		},
		"suspended, resumed, annulled": {
			[]change{{InForce, "2014-03-05"}, {Suspended, "2015-01-01"}, {InForce, "2015-02-01"}, {Annulled, "2015-03-01"}}, change{},
			[]answer{{"2015-01-15", Suspended}, {"2015-02-15", InForce}, {"2015-03-01", Annulled}},
		},
		"newest first": { // in the list the order may be either
			[]change{{Terminated, "2016-07-08"}, {InForce, "2014-03-05"}}, change{Terminated, "2016-07-08"},
			[]answer{{"2014-03-05", InForce}, {"2016-07-08", Terminated}, {"2026-01-01", Terminated}},
		},
		"the last «Действует» of the list is not the last word": {
			[]change{{Terminated, "2016-07-08"}, {InForce, "2014-03-05"}}, change{},
			[]answer{{"2026-01-01", Terminated}},
		},
		"history lags behind": {
			[]change{{InForce, "2014-03-05"}}, change{Terminated, "2016-07-08"},
			[]answer{{"2014-03-05", InForce}, {"2016-07-08", Terminated}},
		},
		"current lags behind": {
			[]change{{InForce, "2014-03-05"}, {Terminated, "2016-07-08"}}, change{InForce, "2014-03-05"},
			[]answer{{"2014-03-05", InForce}, {"2016-07-08", Terminated}},
		},
		"«Действует» after the end that is current": { // the worse one counts
			[]change{{InForce, "2014-03-05"}, {InForce, "2018-01-01"}}, change{Terminated, "2016-07-08"},
			[]answer{{"2016-07-07", InForce}, {"2016-07-08", Terminated}, {"2018-01-01", Terminated}},
		},
		"both on one day": {
			[]change{{InForce, "2014-03-05T10:00:00"}, {Terminated, "2014-03-05T15:00:00"}}, change{},
			[]answer{{"2014-03-05T12:00:00", Terminated}},
		},
		"renewed on the day of the end": {
			[]change{{InForce, "2014-03-05"}, {Terminated, "2016-07-08T00:00:00"}, {InForce, "2016-07-08T00:00:01"}}, change{},
			[]answer{{"2016-07-08T00:00:00", InForce}, {"2016-07-09", InForce}},
		},
		"contradiction at one moment": { // the worse one counts, in either order
			[]change{{InForce, "2014-03-05"}, {Terminated, "2016-07-08"}, {InForce, "2016-07-08"}}, change{},
			[]answer{{"2016-07-08", Terminated}},
		},
		"contradiction, other order": {
			[]change{{InForce, "2014-03-05"}, {InForce, "2016-07-08"}, {Terminated, "2016-07-08"}}, change{},
			[]answer{{"2016-07-08", Terminated}},
		},
		"unknown status": {
			[]change{{InForce, "2014-03-05"}, {"Реорганизована", "2016-07-08"}}, change{},
			[]answer{{"2014-03-05", InForce}, {"2016-07-08", "Реорганизована"}},
		},
		"the future": {
			[]change{{InForce, "2014-03-05"}, {Terminated, "2030-01-01"}}, change{InForce, "2014-03-05"},
			[]answer{{"2029-12-31", InForce}, {"2030-01-01", Terminated}},
		},
		"before 1970": {
			[]change{{InForce, "1960-01-02"}}, change{},
			[]answer{{"1960-01-01", ""}, {"1960-01-02", InForce}},
		},
		"nothing": {nil, change{}, []answer{{"2020-01-01", ""}}},
	} {
		ca := &CA{}
		for _, c := range v.history {
			ca.History = append(ca.History, StatusChange{c.value, at(t, c.since)})
		}
		if v.current.value != "" {
			ca.Current = StatusChange{v.current.value, at(t, v.current.since)}
		}
		ca.buildTimeline()
		for _, a := range v.answers {
			s := ca.Accredited(at(t, a.at))
			known := len(v.history) > 0 || v.current.value != ""
			if a.value == "Реорганизована" {
				known = false
			}
			if s.Value != a.value || s.InForce != (a.value == InForce) || s.Known != known {
				t.Errorf("%s: on %s: %+v, want %q", name, a.at, s, a.value)
			}
		}
	}
}

// TestStatusDates: the ends of a status are moments that print as Moscow days.
func TestStatusDates(t *testing.T) {
	ca := &CA{History: []StatusChange{{InForce, at(t, "2014-03-05T13:00:00")}, {Terminated, at(t, "2016-07-08")}}}
	ca.buildTimeline()
	s := ca.Accredited(at(t, "2015-01-01"))
	if got := s.Since.Format(time.RFC3339); got != "2014-03-05T00:00:00+04:00" {
		t.Errorf("since %s", got)
	}
	if got := s.Until.Format(time.RFC3339); got != "2016-07-08T00:00:00+03:00" {
		t.Errorf("until %s", got)
	}
	if before := ca.Accredited(at(t, "2014-03-04")); !before.Since.IsZero() || !before.Until.Equal(s.Since) {
		t.Errorf("before: %+v", before)
	}
	if after := ca.Accredited(at(t, "2020-01-01")); !after.Until.IsZero() || !after.Since.Equal(s.Until) {
		t.Errorf("after: %+v", after)
	}
	if zero := (&CA{}).Accredited(at(t, "2020-01-01")); zero != (Status{}) {
		t.Errorf("a record that was not read: %+v", zero)
	}
}

// TestMoscow compares with the time zone database, where there is one.
func TestMoscow(t *testing.T) {
	if d := dayOf(time.Date(1969, 12, 31, 20, 59, 59, 0, time.UTC)); d != -1 {
		t.Errorf("the last day before 1970 has the number %d", d)
	}
	moscow, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Skip("no time zone database here")
	}
	for m := time.Date(2011, 3, 1, 0, 0, 0, 0, time.UTC); m.Year() < 2036; m = m.Add(7 * time.Hour) {
		_, offset := m.In(moscow).Zone()
		if got := moscowOffset(m); got != time.Duration(offset)*time.Second {
			t.Fatalf("%v: offset %v, want %d s", m, got, offset)
		}
		y, mo, d := m.In(moscow).Date()
		want := time.Date(y, mo, d, 0, 0, 0, 0, moscow)
		if got := dayOf(m).start(); !got.Equal(want) {
			t.Fatalf("%v: the day begins at %v, want %v", m, got, want)
		}
	}
	for _, edge := range []time.Time{mskSummerFrom, mskSummerTo} {
		for _, m := range []time.Time{edge.Add(-time.Second), edge} {
			if _, offset := m.In(moscow).Zone(); moscowOffset(m) != time.Duration(offset)*time.Second {
				t.Errorf("%v: offset %v, want %d s", m, moscowOffset(m), offset)
			}
		}
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026-07-23":                       "2026-07-22T21:00:00Z",
		"2012-09-04":                       "2012-09-03T20:00:00Z",
		"2026-07-23T10:00:00":              "2026-07-23T07:00:00Z",
		"2012-07-23T10:00:00":              "2012-07-23T06:00:00Z",
		"2026-07-23T10:00:00Z":             "2026-07-23T10:00:00Z",
		"2026-07-23T10:00:00+03:00":        "2026-07-23T07:00:00Z",
		"2026-07-23T10:00:00.123456+03:00": "2026-07-23T07:00:00.123456Z",
		"2026-07-23T10:00:00.5":            "2026-07-23T07:00:00.5Z",
	} {
		got, err := parseTime(text)
		if err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("%s: %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "2026", "23.07.2026", "2026-13-01", "2026-02-30", "2026-07-23T25:00:00", "2026-07-23 10:00:00", "2026-07-23Z"} {
		if got, err := parseTime(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
