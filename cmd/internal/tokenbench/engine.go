package main

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"propusk/gost/gost3410"
	"propusk/server/engine"
)

// engineSessions are the numbers of sessions that are measured.
var engineSessions = []int{1, 2, 8}

// verification is one signature to verify.
type verification struct {
	key         *gost3410.PublicKey
	digest, sig []byte
}

// throughput measures how many signatures a second are verified through a module in a
// process of its own, by the number of sessions, and in Go without and with a table for
// the key. Keys come back, as those of CAs do.
func throughput(o options, dir string, progress io.Writer) (rows []row, err error) {
	if _, err := exec.LookPath("gcc"); err != nil {
		fmt.Fprintln(progress, "engine is left out: no gcc to build the PKCS#11 library with")
		return nil, nil
	}
	library, err := softLibrary(dir)
	if err != nil {
		return nil, err
	}
	all, err := verifications(8)
	if err != nil {
		return nil, err
	}
	cache := gost3410.NewKeyCache(len(all))
	rows = []row{
		{name: "verify, Go", value: perSecond(verifyAll(o.rounds, 1, all, goVerify(nil)))},
		{name: "verify, Go, known keys", value: perSecond(verifyAll(o.rounds, 1, all, goVerify(cache)))},
	}
	for _, sessions := range engineSessions {
		m := engine.NewModule(engine.ModuleOptions{Path: library, Sessions: sessions})
		rate, wrong := verifyAll(o.rounds, sessions, all, func(v *verification) error {
			good, err := m.Verify(v.key, v.digest, v.sig)
			if err == nil && !good {
				err = errors.New("the module refused a good signature")
			}
			return err
		})
		if err := errors.Join(wrong, m.Close()); err != nil {
			return nil, err
		}
		rows = append(rows, row{name: fmt.Sprintf("verify, module, sessions: %d", sessions), value: perSecond(rate, nil)})
	}
	return rows, nil
}

func goVerify(cache *gost3410.KeyCache) func(*verification) error {
	return func(v *verification) error {
		if !cache.Verify(v.key, v.digest, v.sig) {
			return errors.New("a good signature was refused")
		}
		return nil
	}
}

// verifications makes signatures of n keys.
func verifications(n int) ([]verification, error) {
	all := make([]verification, n)
	for i := range all {
		key, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
		if err != nil {
			return nil, err
		}
		v := verification{key: key.PublicKey(), digest: key.PublicKey().Bytes()[:32]}
		if v.sig, err = key.Sign(nil, v.digest, nil); err != nil {
			return nil, err
		}
		all[i] = v
	}
	return all, nil
}

// verifyAll verifies so many signatures from some sides at once, after one round for
// warming up, and returns how many that is a second.
func verifyAll(rounds, sides int, all []verification, verify func(*verification) error) (float64, error) {
	for i := range all {
		for range 4 { // a key has a table after three
			if err := verify(&all[i]); err != nil {
				return 0, err
			}
		}
	}
	rounds *= 10 // they are quick
	var next atomic.Int64
	errs := make([]error, sides)
	var working sync.WaitGroup
	start := time.Now()
	for side := range sides {
		working.Go(func() {
			for errs[side] == nil {
				n := next.Add(1) - 1
				if n >= int64(rounds) {
					return
				}
				errs[side] = verify(&all[n%int64(len(all))])
			}
		})
	}
	working.Wait()
	return float64(rounds) / time.Since(start).Seconds(), errors.Join(errs...)
}

// perSecond prints a rate; an error, which a measurement in Go cannot have, is shown.
func perSecond(rate float64, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%.0f /s", rate)
}
