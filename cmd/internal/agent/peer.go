package agent

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// ownerIn finds in a table of Linux (/proc/net/tcp, tcp6) the user whose socket is the
// client end of a connection, and reports whether it is there.
func ownerIn(table io.Reader, client, server netip.AddrPort) (uid int, found bool, err error) {
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …
		f := strings.Fields(lines.Text())
		if len(f) < 10 || f[9] == "0" { // an end that was closed is nobody's, and says root
			continue
		}
		local, ok1 := procAddress(f[1])
		remote, ok2 := procAddress(f[2])
		if !ok1 || !ok2 || local != client || remote != server {
			continue
		}
		if uid, err = strconv.Atoi(f[7]); err != nil {
			return 0, false, err
		}
		return uid, true, nil
	}
	return 0, false, lines.Err()
}

// procAddress reads an address as the kernel prints it: 32-bit words in the order of the
// machine, then the port.
func procAddress(s string) (netip.AddrPort, bool) {
	address, port, ok := strings.Cut(s, ":")
	if !ok {
		return netip.AddrPort{}, false
	}
	raw, err := hex.DecodeString(address)
	if err != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		binary.BigEndian.PutUint32(raw[i:], binary.NativeEndian.Uint32(raw[i:]))
	}
	ip, ok := netip.AddrFromSlice(raw)
	number, err := strconv.ParseUint(port, 16, 16)
	return netip.AddrPortFrom(ip.Unmap(), uint16(number)), ok && err == nil //nolint:gosec // 16 bits were asked for
}

// connectionIn finds in the answer of lsof -Fn a connection from client to server. lsof
// was asked about one user, so whether it is there says whose it is.
func connectionIn(answer string, client, server netip.AddrPort) bool {
	want := "n" + client.String() + "->" + server.String()
	for line := range strings.Lines(answer) {
		if strings.TrimRight(line, "\r\n") == want {
			return true
		}
	}
	return false
}
