package request

import "net/netip"

// Network is the part of a remote address, with a port, that stands for one client: all of
// IPv4, and the 64 bits of IPv6 that a provider gives to a household (RFC 6177), because one
// client has all the rest. What is no address is one client.
func Network(remote string) netip.Prefix {
	a, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	bits, addr := 64, a.Addr().Unmap().WithZone("")
	if addr.Is4() {
		bits = 32
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
