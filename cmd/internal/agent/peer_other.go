//go:build !linux && !windows

package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// lsofTime is how long lsof may take.
const lsofTime = 10 * time.Second

// sameUser asks lsof, which macOS comes with, for the connections of our user: it shows
// those of nobody else to who is not root. A connection that is not there is another
// user's.
func sameUser(client, server netip.AddrPort) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lsofTime)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "/usr/sbin/lsof", "-nP", "-a", "-u", strconv.Itoa(os.Getuid()), //nolint:gosec // a number
		fmt.Sprintf("-iTCP:%d", client.Port()), "-Fn")
	cmd.Stdout = &out
	err := cmd.Run()
	if connectionIn(out.String(), client, server) {
		return true, nil
	}
	if _, ended := errors.AsType[*exec.ExitError](err); ended {
		return false, nil // that is how it says that there is nothing
	}
	return false, err
}
