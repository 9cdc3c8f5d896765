package agent

import (
	"bytes"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/big"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// malleable returns the JWS with the other signature of ECDSA that its key takes.
func malleable(t *testing.T, jws string) string {
	t.Helper()
	at := strings.LastIndexByte(jws, '.') + 1
	raw, err := base64.RawURLEncoding.DecodeString(jws[at:])
	must(t, err)
	s := new(big.Int).SetBytes(raw[32:])
	s.Sub(elliptic.P256().Params().N, s).FillBytes(raw[32:])
	return jws[:at] + base64.RawURLEncoding.EncodeToString(raw)
}

// procTable is of a Linux machine of little-endian order.
const procTable = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:4426 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 30211 1 0000000000000000 100 0 0 10 0
   1: 0100007F:4426 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 30215 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:9C40 0100007F:4426 01 00000000:00000000 00:00000000 00000000  1001        0 30213 1 0000000000000000 20 4 30 10 -1
`

const procTable6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0000000000000000FFFF00000100007F:9C41 0000000000000000FFFF00000100007F:4426 01 00000000:00000000 00:00000000 00000000  1002        0 30213 1 0000000000000000 20 4 30 10 -1
`

// TestProcTable finds the client's end of a connection, not the server's.
func TestProcTable(t *testing.T) {
	if ip, ok := procAddress("0100007F:0001"); !ok || ip.Addr() != loopback {
		t.Skip("the tables here are of machines of little-endian order")
	}
	server := netip.MustParseAddrPort("127.0.0.1:17446")
	for name, one := range map[string]struct {
		table, client string
		uid           int
		found         bool
	}{
		"IPv4":   {procTable, "127.0.0.1:40000", 1001, true},
		"IPv6":   {procTable6, "127.0.0.1:40001", 1002, true},
		"absent": {procTable, "127.0.0.1:40002", 0, false},
		"empty":  {"", "127.0.0.1:40000", 0, false},
	} {
		uid, found, err := ownerIn(strings.NewReader(one.table), netip.MustParseAddrPort(one.client), server)
		if err != nil || uid != one.uid || found != one.found {
			t.Errorf("%s: %d, %v, %v", name, uid, found, err)
		}
	}
	if _, _, err := ownerIn(strings.NewReader(strings.Replace(procTable, "  1001 ", "  root ", 1)), netip.MustParseAddrPort("127.0.0.1:40000"), server); err == nil {
		t.Error("a user that is no number was taken")
	}
}

// TestLsof reads what lsof -Fn says.
func TestLsof(t *testing.T) {
	client, server := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:17446")
	for answer, want := range map[string]bool{
		"p12\nf7\nn127.0.0.1:40000->127.0.0.1:17446\n":  true,
		"p12\nf7\nn127.0.0.1:17446->127.0.0.1:40000\n":  false, // the agent's own end
		"p12\nf7\nn127.0.0.1:40000->127.0.0.1:174460\n": false,
		"": false,
	} {
		if connectionIn(answer, client, server) != want {
			t.Errorf("%q: want %v", answer, want)
		}
	}
}

// FuzzForm holds the parser of forms to that of package net/url, where it accepts.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{"", "a=b", "form=x&certificate=a-b&pin=%D0%9F+1%2B", "a=%", "a=%4", "a=%zz", "a=b&a=c", "&&", "=", "a=b=c"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := readForm(bytes.NewReader(raw))
		if err != nil {
			if got.fields != nil {
				t.Fatal("refused, and yet there are fields")
			}
			return
		}
		want, err := url.ParseQuery(string(raw))
		if err != nil {
			if strings.Contains(string(raw), ";") {
				return // net/url takes no semicolons; to us they are characters
			}
			t.Fatalf("%q: package net/url says %v", raw, err)
		}
		for _, one := range got.fields {
			if len(one.name) > 0 && want.Get(string(one.name)) != string(one.value) {
				t.Fatalf("%q: %q is %q, and to package net/url %q", raw, one.name, one.value, want.Get(string(one.name)))
			}
		}
	})
}

// FuzzProcTable reads any table without coming to harm.
func FuzzProcTable(f *testing.F) {
	f.Add([]byte(procTable))
	f.Add([]byte(procTable6))
	f.Fuzz(func(t *testing.T, raw []byte) {
		client, server := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:17446")
		if uid, found, err := ownerIn(bytes.NewReader(raw), client, server); (!found || err != nil) && uid != 0 {
			t.Fatalf("uid %d, %v, %v", uid, found, err)
		}
	})
}

// FuzzAccredited reads any list; what it accepts has keys.
func FuzzAccredited(f *testing.F) {
	f.Add([]byte(`{"cas":[{"in_force":true,"key_ids":["01ab"]},{"in_force":false,"successor_ogrn":"1","key_ids":["02"]},{"in_force":false,"key_ids":["03","01ab"]}]}`))
	f.Add([]byte(`{"cas":[{"in_force":true}]}`))
	f.Add([]byte(`{"cas":[{"in_force":true,"key_ids":["zz"]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := parseAccredited(raw)
		if err != nil {
			if list != nil {
				t.Fatal("refused, and yet there is a list")
			}
			return
		}
		if len(list.keys) == 0 {
			t.Fatal("a list without keys")
		}
		for id := range list.keys {
			if _, err := hex.DecodeString(id); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestAccreditedList: a CA that is in the list twice is accredited if it is once, and one
// whose powers were transferred is as good.
func TestAccreditedList(t *testing.T) {
	list, err := parseAccredited([]byte(`{"cas":[{"in_force":true,"key_ids":["01"]},{"in_force":false,"key_ids":["01","02"]},{"in_force":false,"successor_ogrn":"1","key_ids":["03"]}]}`))
	must(t, err)
	for id, want := range map[string]bool{"01": true, "02": false, "03": true} {
		if got, listed := list.keys[id]; got != want || !listed {
			t.Errorf("%s: %v, %v", id, got, listed)
		}
	}
	for _, bad := range []string{"", "[]", `{"cas":[]}`, `{"cas":[{"in_force":true,"key_ids":[""]}]}`, `{"cas":[{"key_ids":["0"]}]}`} {
		if list, err := parseAccredited([]byte(bad)); err == nil {
			t.Errorf("%s: %v", bad, list)
		}
	}
}

// TestBrokenBody refuses a form that broke off.
func TestBrokenBody(t *testing.T) {
	if _, err := readForm(brokenReader{}); err == nil {
		t.Error("accepted")
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("reset") }
