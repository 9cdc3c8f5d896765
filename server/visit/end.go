package visit

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"propusk/server/account"
	"propusk/server/store"
)

// LogoutTask is the kind of tasks that tell a service of the end of a visit.
const LogoutTask = "backchannel-logout"

// logoutLife is how long a service is tried to be told.
const logoutLife = 24 * time.Hour

// farewell is the data of a LogoutTask.
type farewell struct {
	Client string `json:"client"`
	SID    string `json:"sid"`
}

// EndIn ends a visit within a transaction, and leaves tasks to tell the services that know
// it. The error is that of the store.
func EndIn(tx store.Tx, v account.Visit, now time.Time) error {
	for _, client := range v.Clients {
		data, err := json.Marshal(farewell{client, v.SID})
		if err != nil {
			return err
		}
		t := account.Task{ID: account.NewName(), Kind: LogoutTask, Data: data, Due: now, Expires: now.Add(logoutLife)}
		if err := tx.PutTask(t); err != nil {
			return err
		}
	}
	return tx.DeleteVisit(v.Key)
}

// EndAllIn ends all visits of an account within a transaction, such as the one that blocks it,
// except the one with a public name; "" excepts none. Whoever is on the way into the account
// does not arrive either: sign-ins that wait and links of letters are void. It returns the
// visits that have ended.
func EndAllIn(tx store.Tx, id account.ID, exceptPublic string, now time.Time) ([]account.Visit, error) {
	for _, purpose := range account.Open() {
		if err := tx.DeleteSecrets(id, purpose); err != nil {
			return nil, err
		}
	}
	var ended []account.Visit
	for { // a list has its bounds
		visits, err := tx.Visits(id)
		if err != nil {
			return nil, err
		}
		left := len(ended)
		for _, v := range visits {
			if exceptPublic != "" && v.Public == exceptPublic {
				continue
			}
			if err := EndIn(tx, v, now); err != nil {
				return nil, err
			}
			ended = append(ended, v)
		}
		if len(ended) == left {
			return ended, nil
		}
	}
}

// End ends the visit of the browser of a request, if there is one, and takes its cookie away.
// The error is that of the store, and the cookie stays.
func (k *Keeper) End(w http.ResponseWriter, r *http.Request) error {
	var ended []account.Visit
	err := k.opts.Store.Update(r.Context(), func(tx store.Tx) error {
		key, ok := digestOf(r)
		if !ok {
			return nil
		}
		v, err := tx.Visit(key) // of whatever account, in whatever state
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		ended = []account.Visit{v}
		return EndIn(tx, v, k.opts.Now())
	})
	if err != nil {
		return err
	}
	k.tell(ended)
	setCookie(w, "", -1)
	return nil
}

// EndOne ends the visit of an account with a public name, if there is one: sign-out from
// afar. The error is that of the store.
func (k *Keeper) EndOne(ctx context.Context, id account.ID, public string) error {
	var ended []account.Visit
	err := k.opts.Store.Update(ctx, func(tx store.Tx) error {
		ended = nil
		visits, err := tx.Visits(id)
		for _, v := range visits {
			if err == nil && v.Public == public {
				ended = append(ended, v)
				err = EndIn(tx, v, k.opts.Now())
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	k.tell(ended)
	return nil
}

// EndAll ends all visits of an account except the one with a public name, "" excepting none,
// and returns how many. The error is that of the store.
func (k *Keeper) EndAll(ctx context.Context, id account.ID, exceptPublic string) (int, error) {
	var ended []account.Visit
	err := k.opts.Store.Update(ctx, func(tx store.Tx) (err error) {
		ended, err = EndAllIn(tx, id, exceptPublic, k.opts.Now())
		return err
	})
	if err != nil {
		return 0, err
	}
	k.tell(ended)
	return len(ended), nil
}

// Over is told of visits that EndIn and EndAllIn have ended, when their transaction is done.
func (k *Keeper) Over(ended []account.Visit) { k.tell(ended) }

// tell reports visits that have ended.
func (k *Keeper) tell(ended []account.Visit) {
	for _, v := range ended {
		if k.opts.Ended != nil {
			k.opts.Ended(v)
		}
		select {
		case k.wake <- struct{}{}:
		default: // it is awake
		}
	}
}
