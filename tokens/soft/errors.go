package soft

import "errors"

// Errors of this package, for errors.Is.
var (
	// ErrRemoved means a token whose directory is gone: it was taken out.
	ErrRemoved = errors.New("soft: the token was removed")
	// ErrNotInitialized means a token that [Token.Init] must be called for first.
	ErrNotInitialized = errors.New("soft: the token is not initialised")
	// ErrFormat means a file that is no file of a token.
	ErrFormat = errors.New("soft: malformed file")
	// ErrPIN means a wrong PIN. One try is gone.
	ErrPIN = errors.New("soft: wrong PIN")
	// ErrLocked means a PIN that is not accepted any more: no try is left. The
	// security officer can set a new PIN of the user; only the files help against
	// a locked PIN of the security officer.
	ErrLocked = errors.New("soft: the PIN is locked")
	// ErrPINNotSet means a token whose user has no PIN yet.
	ErrPINNotSet = errors.New("soft: the user's PIN is not set")
	// ErrPINLength means a new PIN shorter than [MinPIN] or longer than [MaxPIN],
	// or one that is not UTF-8.
	ErrPINLength = errors.New("soft: a PIN has 4 to 255 bytes of UTF-8")
	// ErrPINExpired means a PIN that must be changed before keys can be used.
	ErrPINExpired = errors.New("soft: the PIN must be changed first")
	// ErrLogin means that somebody else, or nobody, is logged in.
	ErrLogin = errors.New("soft: not logged in as needed")
	// ErrNoObject means an object that is not there, or not any more.
	ErrNoObject = errors.New("soft: no such object")
	// ErrObject means an object that cannot be kept: fields out of their limits, or
	// ones that do not belong together.
	ErrObject = errors.New("soft: not a valid object")
	// ErrFull means a token with as many objects as it can have.
	ErrFull = errors.New("soft: the token is full")
	// ErrUsage means a key that is not for this operation.
	ErrUsage = errors.New("soft: the key is not for this operation")
)
