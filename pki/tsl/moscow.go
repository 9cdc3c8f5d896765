package tsl

import (
	"fmt"
	"time"
)

// dayNumber is a calendar day of Moscow, counted from 1970-01-01.
type dayNumber int64

// Moscow time changed within the life of the list: UTC+4 from 2011-03-27 02:00 to
// 2014-10-26 02:00, UTC+3 since then. Before 2011 there was summer time; no CA was
// accredited under 63-ФЗ by then, so UTC+3 is taken. The offsets are written here
// because a program may run without a time zone database.
var (
	mskSummerFrom = time.Date(2011, 3, 26, 23, 0, 0, 0, time.UTC)
	mskSummerTo   = time.Date(2014, 10, 25, 22, 0, 0, 0, time.UTC)

	msk3, msk4 = time.FixedZone("MSK", 3*60*60), time.FixedZone("MSK", 4*60*60)
)

// moscowOffset returns how far Moscow is ahead of UTC at a moment.
func moscowOffset(at time.Time) time.Duration {
	if !at.Before(mskSummerFrom) && at.Before(mskSummerTo) {
		return 4 * time.Hour
	}
	return 3 * time.Hour
}

const secondsPerDay = 24 * 60 * 60

// dayOf returns the Moscow calendar day of a moment.
func dayOf(at time.Time) dayNumber {
	s := at.Add(moscowOffset(at)).Unix()
	d := s / secondsPerDay
	if s%secondsPerDay < 0 {
		d--
	}
	return dayNumber(d)
}

// start returns the first moment of the day. It prints as the day: the time zone
// is that of Moscow.
func (d dayNumber) start() time.Time {
	midnight := time.Unix(int64(d)*secondsPerDay, 0).UTC() // as if Moscow were UTC
	t := fromMoscow(midnight)
	if moscowOffset(t) == 4*time.Hour {
		return t.In(msk4)
	}
	return t.In(msk3)
}

// fromMoscow returns the moment at which the clocks of Moscow show what local
// shows in UTC. The hour that was passed twice in 2014 is taken to be the first
// one.
func fromMoscow(local time.Time) time.Time {
	if t := local.Add(-4 * time.Hour); moscowOffset(t) == 4*time.Hour {
		return t
	}
	return local.Add(-3 * time.Hour)
}

// parseTime reads a date or a moment as the list writes them. What has no offset
// is Moscow time.
func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return fromMoscow(t), nil
		}
	}
	return time.Time{}, fmt.Errorf("%.100q is no date", s)
}
