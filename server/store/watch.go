package store

import (
	"context"

	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/journal"
)

// Watch returns s, which calls letter and note after every update that has put a letter or a
// note, when it is durable, so that nobody has to look for them all the time. Those of other
// processes are not seen. The functions must not wait.
func Watch(s Store, letter, note func()) Store { return watched{s, letter, note} }

type watched struct {
	Store
	letter, note func()
}

func (w watched) Update(ctx context.Context, f func(Tx) error) error {
	var seen *watchedTx
	err := w.Store.Update(ctx, func(tx Tx) error {
		seen = &watchedTx{Tx: tx}
		return f(seen)
	})
	if err != nil {
		return err
	}
	if seen.letter {
		w.letter()
	}
	if seen.note {
		w.note()
	}
	return nil
}

type watchedTx struct {
	Tx
	letter, note bool
}

func (t *watchedTx) PutLetter(l account.Letter) error {
	t.letter = t.letter || l.Waiting()
	return t.Tx.PutLetter(l)
}

func (t *watchedTx) Note(e journal.Event, who person.Identity) error {
	t.note = true
	return t.Tx.Note(e, who)
}
