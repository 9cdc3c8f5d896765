package factor

import "errors"

// ErrWrong means that a code is not right, or no longer.
var ErrWrong = errors.New("factor: not a code that is good now")
