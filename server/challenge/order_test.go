package challenge

import (
	"strconv"
	"testing"
	"time"

	"propusk/pki/reason"
)

// TestRoomForOrders: one service alone has all the room, and of several none takes it all.
func TestRoomForOrders(t *testing.T) {
	clock := time.Unix(1e9, 0)
	n := 0
	fill := func(m *memory, client string) (kept int) {
		for {
			n++
			err := m.Add(Order{ID: strconv.Itoa(n), Client: client, Expires: clock})
			if reason.Of(err) == reason.ServerBusy {
				return kept
			}
			if kept++; err != nil || kept > 1000 {
				t.Fatalf("after %d: %v", kept, err)
			}
		}
	}
	now := func() time.Time { return clock }
	if got := fill(newMemory(100, 1, now), "a"); got != 100 {
		t.Errorf("the only service has %d", got)
	}
	if got := fill(newMemory(100, 0, now), "a"); got != 100 {
		t.Errorf("a service that was not counted has %d", got)
	}
	m := newMemory(100, 10, now)
	a, b, c := fill(m, "a"), fill(m, "b"), fill(m, "c")
	if a != 50 || b != 25 || c != 13 {
		t.Errorf("of ten services three have %d, %d, %d", a, b, c)
	}
	if got := fill(m, "d"); got != 10 {
		t.Errorf("the share of a fourth one is %d", got)
	}
	if got := fill(m, "e"); got != 2 || m.Len() != 100 {
		t.Errorf("what is left is %d, and %d are kept", got, m.Len())
	}
	clock = clock.Add(keepOrder)
	if got := fill(m, "e"); got != 50 || m.Len() != 50 {
		t.Errorf("when all are forgotten: %d of %d", got, m.Len())
	}
}
