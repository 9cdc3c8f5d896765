package server

import (
	"context"
	"errors"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/server/register"
)

// shelfOfTwo is a register with an enterprise that has ended and, perhaps, one after it.
type shelfOfTwo struct {
	old    person.OGRNIP
	second time.Time
	err    error
}

func (s shelfOfTwo) Find(_ context.Context, q register.Query) (register.Entry, error) {
	if q.OGRNIP == s.old {
		return register.Entry{Closed: time.Unix(1e9, 0)}, nil
	}
	return register.Entry{Closed: s.second}, s.err
}

// TestEntrepreneurAgain (IP-29): who has ended one enterprise and begun another is an
// entrepreneur, whichever of the certificates he shows; who cannot be found again is as the
// register says about the one.
func TestEntrepreneurAgain(t *testing.T) {
	inn, err1 := person.ParseINN("500100732259")
	ogrnip, err2 := person.ParseOGRNIP("304500116000157")
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	who := person.Identity{Kind: person.Entrepreneur, INN: inn, OGRNIP: ogrnip}
	ended, later := time.Unix(1e9, 0), time.Unix(2e9, 0)
	for name, c := range map[string]struct {
		shelfOfTwo
		want time.Time
	}{
		"another goes on": {shelfOfTwo{old: ogrnip}, time.Time{}},
		"another ended":   {shelfOfTwo{old: ogrnip, second: later}, later},
		"no other":        {shelfOfTwo{old: ogrnip, err: register.ErrNotFound}, ended},
	} {
		got, err := enterprises{c}.Ended(t.Context(), who)
		if err != nil || !got.Equal(c.want) {
			t.Errorf("%s: ended %s, %v, want %s", name, got, err, c.want)
		}
	}
}
