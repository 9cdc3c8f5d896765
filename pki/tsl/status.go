package tsl

import (
	"cmp"
	"slices"
	"time"
)

// Values of «Статус». Any other is unknown, and a CA is not in force under it.
const (
	InForce    = "Действует"
	Suspended  = "Приостановлена"
	Terminated = "Прекращена"
	Annulled   = "Аннулирована"
)

func knownStatus(value string) bool {
	return value == InForce || value == Suspended || value == Terminated || value == Annulled
}

// Status is the standing of a CA on one day. The zero value is not in force.
type Status struct {
	InForce bool      // accredited on that Moscow calendar day
	Known   bool      // false if the list has a value we do not know, or none at all
	Value   string    // as written in the list; empty before the first change
	Since   time.Time // first moment, in Moscow, of the day it began; zero before the first change
	Until   time.Time // first moment, in Moscow, of the day the next one begins; zero if there is none
}

// Accredited tells the standing of a CA on the Moscow calendar day of at.
//
// 63-ФЗ, ст. 11, п. 1, asks whether the accreditation was valid on the day of
// issue: so days count, not hours. Accreditation is a half-open interval: the day
// on which «Действует» begins belongs to it, and the day on which any other
// status begins does not. Of several changes on one day the last one counts for
// the whole of it.
func (ca *CA) Accredited(at time.Time) Status {
	day := dayOf(at)
	i, found := slices.BinarySearchFunc(ca.timeline, day, func(s span, d dayNumber) int { return cmp.Compare(s.from, d) })
	if found {
		i++
	}
	// timeline[i] is the first span that begins after the day.
	s := Status{Known: len(ca.timeline) > 0}
	if i < len(ca.timeline) {
		s.Until = ca.timeline[i].from.start()
	}
	if i > 0 {
		now := ca.timeline[i-1]
		s.Value, s.Since, s.Known = now.value, now.from.start(), now.known
		s.InForce = now.value == InForce
	}
	return s
}

// span is a stretch of days with one status; it ends where the next one begins.
type span struct {
	from  dayNumber
	value string
	known bool
}

// oddities are what is odd about a record: each once, not more than say enough, and
// none at length. A record may have half a million changes of status, of a value that
// is as long as the list.
type oddities []string

// maxOddities is how many of one record are told.
const maxOddities = 16

func (o *oddities) add(what, value string) {
	const enough = 100 // characters
	if runes := []rune(value[:min(len(value), 4*enough)]); len(runes) > enough {
		value = string(runes[:enough]) + "…"
	}
	if what += value; len(*o) < maxOddities && !slices.Contains(*o, what) {
		*o = append(*o, what)
	}
}

// buildTimeline orders the changes of status of a record. It returns what is odd
// about them.
//
// Not even the last «Действует» of the history may be trusted alone: terminations
// follow it. All changes count, the current status among them, by their dates.
func (ca *CA) buildTimeline() []string {
	var odd oddities
	if ca.statusUnreadable {
		ca.timeline = []span{{from: dayOf(time.Time{})}}
		return []string{"a change of status has no readable date; the record is never in force"}
	}
	changes := slices.Clone(ca.History)
	if ca.Current != (StatusChange{}) {
		changes = append(changes, ca.Current)
	}
	slices.SortStableFunc(changes, func(a, b StatusChange) int { return a.Since.Compare(b.Since) })
	ca.endIsFinal(changes, &odd)
	for i, c := range changes {
		if !knownStatus(c.Value) {
			odd.add("unknown status ", c.Value)
		}
		if i > 0 && c.Since.Equal(changes[i-1].Since) && c.Value != changes[i-1].Value {
			odd.add("two statuses since one moment", "")
			if c.Value == InForce { // of two that contradict, the worse one counts
				changes[i] = changes[i-1]
			}
		}
	}
	if len(changes) == 0 {
		odd.add("no status", "")
	}
	ca.timeline = ca.timeline[:0]
	for _, c := range changes {
		ca.timeline = appendSpan(ca.timeline, span{dayOf(c.Since), c.Value, knownStatus(c.Value)})
	}
	return odd
}

// endIsFinal replaces «Действует» where it stands after a current status that says
// otherwise: the list contradicts itself, and the worse of the two counts.
func (ca *CA) endIsFinal(changes []StatusChange, odd *oddities) {
	if ca.Current == (StatusChange{}) || ca.Current.Value == InForce {
		return
	}
	for i := range changes {
		if c := &changes[i]; c.Value == InForce && c.Since.After(ca.Current.Since) {
			c.Value = ca.Current.Value
			odd.add("accredited in the history after the current status, which is ", ca.Current.Value)
		}
	}
}

// appendSpan adds a span that begins no earlier than the last one.
func appendSpan(all []span, s span) []span {
	if n := len(all); n > 0 && all[n-1].from == s.from {
		all = all[:n-1] // the later change of one day takes its place
	}
	if n := len(all); n > 0 && all[n-1].value == s.value && all[n-1].known == s.known {
		return all // nothing changed
	}
	return append(all, s)
}

// union returns a copy of the first record that is in force whenever any of the
// records is. Its successor is that of the first record that has one.
func union(records []*CA) *CA {
	var days []dayNumber
	for _, ca := range records {
		for _, s := range ca.timeline {
			days = append(days, s.from)
		}
	}
	slices.Sort(days)
	merged := *records[0]
	merged.timeline = nil
	for _, ca := range records {
		if merged.SuccessorOGRN == "" {
			merged.SuccessorOGRN = ca.SuccessorOGRN
		}
	}
	for _, day := range slices.Compact(days) {
		merged.timeline = appendSpan(merged.timeline, best(records, day))
	}
	return &merged
}

// best returns the standing on a day of the record that speaks loudest: one in
// force, else the one that changed last.
func best(records []*CA, day dayNumber) span {
	var latest Status
	for _, ca := range records {
		s := ca.Accredited(day.start())
		if s.InForce {
			return span{day, s.Value, s.Known}
		}
		if s.Value != "" && !s.Since.Before(latest.Since) {
			latest = s
		}
	}
	return span{day, latest.Value, latest.Known}
}
