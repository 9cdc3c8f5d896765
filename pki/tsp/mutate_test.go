package tsp

import (
	"bytes"
	"encoding/pem"
	"errors"
	"os"
	"testing"

	"propusk/pki/cms"
)

func asRefusal(err error) (*Refusal, bool) { return errors.AsType[*Refusal](err) }

// sample returns the token of testdata: the data are those that all tests stamp.
func sample(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/token.pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatal("no PEM in testdata/token.pem")
	}
	return block.Bytes
}

// holds reports whether a token proves the time of the data.
func holds(raw []byte) bool {
	token, err := ParseToken(raw)
	if err != nil {
		return false
	}
	_, err = token.Verify(own(token))
	return err == nil && token.CheckImprint(stamped) == nil
}

// TestMutation changes every byte of a token in several ways: none of the results
// is a time-stamp of the data.
func TestMutation(t *testing.T) {
	raw := sample(t)
	if !holds(raw) {
		t.Fatal("the sample itself does not hold")
	}
	for i := range raw {
		for _, flip := range []byte{0x01, 0x20, 0x80, 0xff} {
			changed := bytes.Clone(raw)
			if changed[i] ^= flip; holds(changed) {
				t.Errorf("byte %d: %#x instead of %#x is accepted", i, changed[i], raw[i])
			}
		}
	}
	for i := range raw {
		if holds(raw[:i]) {
			t.Errorf("%d bytes are accepted", i)
		}
	}
}

// FuzzToken: what is refused returns nothing; what is taken reads again, from the
// bytes that it holds, as the same.
func FuzzToken(f *testing.F) {
	f.Add(sample(f))
	a := newAuthority(f)
	for _, change := range []func(*Template){
		func(*Template) {},
		func(p *Template) { p.Ordering, p.Nonce, p.Accuracy = true, []byte{0, 0x80}, 1001001000 },
		func(p *Template) { p.Named, p.Extensions = false, []Extension{{ID: policy, Value: []byte{5, 0}}} },
	} {
		raw, err := create(f, a, change)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		token, err := ParseToken(data)
		if err != nil {
			if token != nil {
				t.Fatal("refused, yet returned")
			}
			return
		}
		again, err := ParseToken(token.Raw)
		if err != nil || !bytes.Equal(again.Raw, token.Raw) || !again.GenTime.Equal(token.GenTime) || !again.Digest.equal(token.Digest) {
			t.Fatalf("reads again as another: %v", err)
		}
		if len(token.Digest.Hash) == 0 || token.GenTime.IsZero() && token.Policy == nil {
			t.Fatal("taken without what a token must have")
		}
		r, err := token.Verify(own(token))
		if err == nil && r.Certificate == nil {
			t.Fatal("verified by nobody")
		}
	})
}

// FuzzRequest: what is taken is written back as the same bytes.
func FuzzRequest(f *testing.F) {
	for _, q := range []*Request{
		{Digest: digest(f, streebog, stamped)},
		{Digest: digest(f, streebog, stamped), Policy: policy, Nonce: []byte{0, 0x81}, WantCertificate: true},
		{Digest: digest(f, streebog, stamped), Extensions: []Extension{{policy, true, []byte{5, 0}}, {oidTSTInfo, false, nil}}},
	} {
		raw, err := q.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		q, err := ParseRequest(data)
		if err != nil {
			if q != nil {
				t.Fatal("refused, yet returned")
			}
			return
		}
		if again, err := q.Marshal(); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("%x: written back as %x: %v", data, again, err)
		}
	})
}

// FuzzResponse: a response holds either a token or a reason why not.
func FuzzResponse(f *testing.F) {
	a := newAuthority(f)
	for _, q := range []*Request{
		{Digest: digest(f, streebog, stamped), WantCertificate: true},
		{Digest: digest(f, streebog, stamped), Policy: oidTSTInfo},
	} {
		query, err := q.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		reply, err := a.Respond(query, stampedAt)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(reply)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		token, err := ParseResponse(data)
		if (token == nil) == (err == nil) {
			t.Fatalf("%v and %v", token, err)
		}
		if refusal, ok := asRefusal(err); ok && refusal.Status <= GrantedWithMods {
			t.Fatalf("refused and granted: %v", refusal)
		}
	})
}

// TestTokenInBER reads a token of which the outer parts have indefinite length, as
// some services write them.
func TestTokenInBER(t *testing.T) {
	raw := sample(t)
	var ber []byte
	header := 4 // tag and length in three octets
	ber = append(ber, 0x30, 0x80)
	ber = append(ber, raw[header:]...)
	ber = append(ber, 0, 0)
	token, err := ParseToken(ber)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := token.Verify(own(token)); err != nil || !bytes.Equal(token.Raw, raw) {
		t.Errorf("not the same token: %v", err)
	}
	if _, err := cms.Parse(ber); err != nil {
		t.Error(err)
	}
}
