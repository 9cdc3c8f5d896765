package gosttls

import "errors"

// ErrGOSTProbe is the error of a handshake that the client ended with the alert
// illegal_parameter right after the server's first flight. Chromium-Gost
// does so on purpose: it finds out whether the server picks a GOST suite, and
// then connects again through the installed cryptographic provider.
var ErrGOSTProbe = errors.New("gosttls: client probed for GOST and left")
