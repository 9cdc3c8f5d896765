package visit

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"propusk/server/account"
	"propusk/server/store"
)

// How services are told of the end of visits.
const (
	batch     = 64
	atOnce    = 8
	firstWait = 5 * time.Second
	lastWait  = time.Hour
	// look is how often tasks are looked for that other processes have left.
	look = 5 * time.Second
)

// Tell tells a service of the end of a visit; an error means that it is to be tried again.
type Tell = func(ctx context.Context, clientID, sid string) error

// Run tells services of the end of visits until ctx ends. What is not told by then stays in
// the store, for the next time.
func (k *Keeper) Run(ctx context.Context, tell Tell) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		for {
			done, err := k.Deliver(ctx, tell)
			if err != nil || done < batch {
				break // the store says why to everybody else
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-k.wake:
		case <-tick.C:
		}
	}
}

// Deliver tries once what is due, at most 64 services, and returns how many were tried. A
// service that is not told is tried again later and later, for a day. The error is that of
// the store.
func (k *Keeper) Deliver(ctx context.Context, tell Tell) (int, error) {
	var due []account.Task
	err := k.opts.Store.View(ctx, func(tx store.Tx) (err error) {
		due, err = tx.DueTasks(LogoutTask, k.opts.Now(), batch)
		return err
	})
	if err != nil || len(due) == 0 {
		return 0, err
	}
	failed := make([]bool, len(due))
	turns := make(chan struct{}, atOnce)
	var wait sync.WaitGroup
	for i, t := range due {
		turns <- struct{}{}
		wait.Go(func() {
			defer func() { <-turns }()
			failed[i] = deliver(ctx, t, tell) != nil
		})
	}
	wait.Wait()
	// What was done is written down even if the program ends just now.
	return len(due), k.opts.Store.Update(context.WithoutCancel(ctx), func(tx store.Tx) error {
		var errs []error
		for i, t := range due {
			errs = append(errs, k.settle(tx, t, failed[i]))
		}
		return errors.Join(errs...)
	})
}

// deliver does one task. One that cannot be read is done: it will never be read.
func deliver(ctx context.Context, t account.Task, tell Tell) error {
	var f farewell
	if err := json.Unmarshal(t.Data, &f); err != nil {
		return nil //nolint:nilerr // as said
	}
	return tell(ctx, f.Client, f.SID)
}

// settle forgets a task, or puts it off.
func (k *Keeper) settle(tx store.Tx, t account.Task, failed bool) error {
	now := k.opts.Now()
	if !failed {
		return tx.DeleteTask(t.ID)
	}
	t.Due = now.Add(min(firstWait<<min(t.Tries, 20), lastWait))
	t.Tries++
	if !t.Due.Before(t.Expires) {
		return tx.DeleteTask(t.ID)
	}
	return tx.PutTask(t)
}
