package engine

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/server/config"
	"propusk/tokens"
	"propusk/tokens/soft/softtest"
)

// sample is a good signature.
func sample(t *testing.T) (key *gost3410.PublicKey, digest, signature []byte) {
	t.Helper()
	private, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
	if err != nil {
		t.Fatal(err)
	}
	digest = make([]byte, 32)
	digest[0] = 1
	if signature, err = private.Sign(nil, digest, nil); err != nil {
		t.Fatal(err)
	}
	return private.PublicKey(), digest, signature
}

// TestBusy: whoever finds all sessions taken waits for some seconds and no longer, and
// the module is not lost for that.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := New(Options{Config: config.Verification{Engine: "both", Module: "never opened", Sessions: 2, WhenLost: "refuse"}})
		<-k.module.free
		<-k.module.free
		key, digest, signature := sample(t)
		start := time.Now()
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if good, err := k.module.Verify(key, digest, signature); good || !errors.Is(err, errBusy) || reason.Of(err) != reason.TokenTimeout {
					t.Errorf("%t, %v", good, err)
				}
			})
		}
		all.Wait()
		if took := time.Since(start); took != queueTime {
			t.Errorf("they waited for %v", took)
		}
		if err := k.choice.Begin().Confirm(key, digest, signature); reason.Of(err) != reason.EngineLost {
			t.Errorf("%v", err)
		}
		if _, err := k.module.Lost(); err != nil || k.lost {
			t.Errorf("a module with much to do is lost: %v", err)
		}
		if n := k.Status().Signatures[sigalg.Lost.String()]; n != 1 {
			t.Errorf("%d were not answered", n)
		}
		k.module.free <- struct{}{}
		if err := k.module.enter(); err != nil || len(k.module.free) != 0 {
			t.Errorf("%v, %d", err, len(k.module.free))
		}
	})
}

// TestLooking: a module that takes its time to connect keeps nobody waiting who only asks
// how it is: probes and metrics come every few seconds.
func TestLooking(t *testing.T) {
	k := New(Options{Config: config.Verification{Engine: "pkcs11", Module: "never opened", Sessions: 1, WhenLost: "refuse"}})
	k.module.mu.Lock()
	defer k.module.mu.Unlock()
	if s := k.Status(); s.Code != "" || s.Engine != "pkcs11" {
		t.Errorf("%+v", s)
	}
	if err := k.Ready(); reason.Of(err) != reason.EngineLost {
		t.Errorf("%v", err)
	}
}

// TestRenewed: sessions that are opened anew for one signature are not missed by others.
func TestRenewed(t *testing.T) {
	token := softtest.New(t, softtest.Options{NoKey: true})
	m := NewModule(ModuleOptions{Path: tokens.SoftScheme + token.Dir, Sessions: 4})
	t.Cleanup(func() { m.Close() })
	key, digest, signature := sample(t)
	if good, err := m.Verify(key, digest, signature); !good || err != nil {
		t.Fatalf("%t, %v", good, err)
	}
	pool := m.pool
	if err := m.renew(); err != nil {
		t.Fatal(err)
	}
	if a := ask(pool, key, digest, signature); a.asked || a.err == nil || !m.renewed(pool) {
		t.Errorf("sessions that have ended: %+v", a)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 25 {
				if good, err := m.Verify(key, digest, signature); !good || err != nil {
					t.Errorf("%t, %v", good, err)
				}
			}
		})
	}
	for range 20 {
		m.mu.Lock()
		if err := m.renew(); err != nil {
			t.Error(err)
		}
		m.mu.Unlock()
	}
	all.Wait()
	if err := m.Close(); err != nil || m.renewed(pool) {
		t.Errorf("%v; whoever asks a closed module would ask for ever", err)
	}
}
