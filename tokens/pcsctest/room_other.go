//go:build unix && !linux

package pcsctest

import (
	"errors"
	"net"
	"testing"
)

// room is nothing where there are no namespaces.
type room struct{}

func enter(t testing.TB, _ string) room {
	t.Helper()
	t.Skip("namespaces are of Linux")
	return room{}
}

func (room) dial(string) (net.Conn, error)     { return nil, errors.New("no namespaces") }
func (room) daemon(testing.TB, string) *daemon { return nil }
func (room) leave()                            {}

// daemon is what is not there.
type daemon struct{ ended chan struct{} }

func (*daemon) said() string    { return "" }
func (*daemon) stop(testing.TB) {}
