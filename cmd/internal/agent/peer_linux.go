package agent

import (
	"net/netip"
	"os"
)

// sameUser asks the kernel whose socket the client end of a connection is. A socket of
// IPv6 can reach 127.0.0.1 too, and is in the other table. The tables are those of the
// network that this thread is in: the first thread of the process may be in another.
func sameUser(client, server netip.AddrPort) (bool, error) {
	for _, path := range []string{"/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"} {
		f, err := os.Open(path)
		if os.IsNotExist(err) {
			continue // a kernel without IPv6
		}
		if err != nil {
			return false, err
		}
		uid, found, err := ownerIn(f, client, server)
		_ = f.Close() // it was only read
		if err != nil || found {
			return found && uid == os.Getuid(), err
		}
	}
	return false, nil
}
