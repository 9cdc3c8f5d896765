package request

import (
	"net/netip"
	"testing"
)

func TestNetwork(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:1": "192.0.2.7/32", "[::ffff:192.0.2.7]:1": "192.0.2.7/32", "[2001:db8:1:2:3:4:5:6]:1": "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::1]:80": "2001:db8:1:2::/64", "[fe80::1%eth0]:1": "fe80::/64", "@": "", "": "", "192.0.2.7": "",
	} {
		var p netip.Prefix
		if want != "" {
			p = netip.MustParsePrefix(want)
		}
		if got := Network(remote); got != p {
			t.Errorf("%q: %v, want %v", remote, got, p)
		}
	}
}
