package tokens

import (
	"errors"
	"slices"
	"time"

	"propusk/pki/reason"
)

// How long a library has to notice that a token is not there any more, after a failure
// that it did not explain, and how long it is left alone between two looks: pcscd looks
// at a reader every 0.4 s.
const (
	noticing = 2 * time.Second
	look     = 100 * time.Millisecond
)

// do calls the library about the token. A failure that the library does not explain is
// reason.TokenRemoved if the token is not there any more: OpenSC, for one, says
// CKR_GENERAL_ERROR when a card is pulled out while it works.
func (t *Token) do(f func(library) error) error {
	err := t.module.do(f)
	if reason.Of(err) != reason.TokenFailed {
		return err
	}
	cause, ok := errors.AsType[rv](err)
	if !ok {
		return err // it is not the library that failed
	}
	for end := time.Now().Add(noticing); time.Now().Before(end); time.Sleep(look) {
		if t.gone() {
			return reason.New(reason.TokenRemoved, cause)
		}
	}
	return err
}

// ObjectGone reports whether an error of a library says that it does not know an object
// that it named before: the token was away meanwhile, or somebody deleted the object. It
// may be there again under another handle, for [Session.Keys] and its like to find.
func ObjectGone(err error) bool {
	cause, _ := errors.AsType[rv](err)
	return cause == rvObjectHandle || cause == rvKeyHandle
}

// gone asks the library whether the token has left its slot. The list of slots comes
// first: that is what makes libraries look.
func (t *Token) gone() bool {
	var gone bool
	err := t.module.do(func(lib library) error {
		slots, err := lib.slots()
		if err != nil {
			return err
		}
		if gone = !slices.Contains(slots, t.slot); gone {
			return nil
		}
		now, err := lib.token(t.slot)
		gone = err == nil && !now.same(t.info)
		return err
	})
	return gone || errors.Is(err, reason.TokenRemoved)
}
