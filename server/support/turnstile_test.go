package support

import (
	"net/netip"
	"testing"
)

// TestTurnstile: a network has its share, and all together have theirs.
func TestTurnstile(t *testing.T) {
	s := turnstile{inside: make(map[netip.Prefix]int)}
	of := func(i byte) netip.Prefix { return netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, i}), 32) }
	for range maxNetworkUploads {
		if !s.enter(of(0)) {
			t.Fatal("refused")
		}
	}
	if s.enter(of(0)) {
		t.Error("more than its share")
	}
	for i := range byte(maxUploads - maxNetworkUploads) {
		if !s.enter(of(1 + i)) {
			t.Fatal("kept out by others")
		}
	}
	if s.enter(of(200)) {
		t.Error("more than there is room for")
	}
	s.leave(of(1))
	if !s.enter(of(200)) {
		t.Error("no room behind one who left")
	}
	for range maxNetworkUploads {
		s.leave(of(0))
	}
	if _, ok := s.inside[of(0)]; ok {
		t.Error("networks are remembered")
	}
}
