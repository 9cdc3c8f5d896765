//go:build darwin || (!unix && !windows)

package pcsc

import (
	"context"

	"propusk/pki/reason"
)

// supported is an error: macOS has PC/SC in a framework that is called from C, and
// programs for it are built without.
func supported() error {
	return reason.Errorf(reason.ReaderUnsupported, "PC/SC of this system is reached from C only")
}

func dial(context.Context) (service, error) { return nil, supported() }
