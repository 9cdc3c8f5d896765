package api

import (
	"context"
	"time"

	"propusk/pki/reason"
)

// gate lets a limited number of holders in at once. The others wait, but not for
// long.
type gate struct {
	slots chan struct{}
	wait  time.Duration
}

func newGate(n int, wait time.Duration) gate {
	return gate{slots: make(chan struct{}, n), wait: wait}
}

// enter returns how to leave, or [reason.ServerBusy] when nobody left in time.
func (g gate) enter(ctx context.Context) (leave func(), err error) {
	leave = func() { <-g.slots }
	select {
	case g.slots <- struct{}{}:
		return leave, nil
	default:
	}
	timer := time.NewTimer(g.wait)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return leave, nil
	case <-timer.C:
		return nil, reason.Errorf(reason.ServerBusy, "too many requests are under way")
	case <-ctx.Done():
		return nil, reason.New(reason.ServerBusy, ctx.Err())
	}
}
