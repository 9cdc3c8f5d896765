package main

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"propusk/pki/reason"
	"propusk/tokens"
	"propusk/tokens/soft"
)

// addedGoal is how much a signature may cost more in a process of its own.
const addedGoal = 200 * time.Microsecond

// benchPIN is that of the token which is made for the measurement.
const benchPIN = "12345678"

// bridge measures signatures of a library in this process and in one of its own, and
// how long it takes until a library signs again after its process has gone.
func bridge(o options, dir string, progress io.Writer) ([]row, error) {
	if _, err := exec.LookPath("gcc"); err != nil {
		fmt.Fprintln(progress, "bridge is left out: no gcc to build the PKCS#11 library with")
		return nil, nil
	}
	library, err := softLibrary(dir)
	if err != nil {
		return nil, err
	}
	inside, err := signer(library, tokens.InProcess())
	if err != nil {
		return nil, err
	}
	defer inside.close()
	outside, err := signer(library)
	if err != nil {
		return nil, err
	}
	defer outside.close()
	rows, err := added(o, inside, outside)
	if err != nil {
		return nil, err
	}
	again, err := respawn(o, library)
	return append(rows, again...), err
}

// softLibrary builds the library of soft tokens, and gives it a token with a key.
func softLibrary(dir string) (string, error) {
	library, err := buildLibrary(dir)
	if err != nil {
		return "", err
	}
	if err := makeToken(filepath.Join(dir, "tokens", "bench")); err != nil {
		return "", err
	}
	// The library takes its directory from the environment, which the one in this process
	// shares with us.
	return library, os.Setenv("PROPUSK_SOFT_TOKENS", filepath.Join(dir, "tokens"))
}

// buildLibrary builds the library of soft tokens.
func buildLibrary(dir string) (string, error) {
	library := filepath.Join(dir, "libpropusksoft.so")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-o", library, "propusk/tokens/soft/module")
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, said)
	}
	return library, nil
}

// makeToken makes a soft token with a key.
func makeToken(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	token, err := soft.Open(path)
	if err != nil {
		return err
	}
	officer := []byte("87654321")
	if err := token.Init("Bench", officer); err != nil {
		return err
	}
	if err := token.Login(soft.SecurityOfficer, officer); err != nil {
		return err
	}
	if err := token.InitPIN([]byte(benchPIN), false); err != nil {
		return err
	}
	token.Logout()
	if err := token.Login(soft.User, []byte(benchPIN)); err != nil {
		return err
	}
	defer token.Logout()
	_, _, err = token.Generate(nil, soft.KeyTemplate{ParamSet: asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 1}, Label: "key", ID: []byte{1}})
	return err
}

// opened is a key in a token.
type opened struct {
	module  *tokens.Module
	session *tokens.Session
	key     *tokens.Key
}

// close ends it; there is nothing to be done about an error.
func (k *opened) close() { _ = errors.Join(k.session.Close(), k.module.Close()) }

// signer opens a library and logs in.
func signer(library string, o ...tokens.Option) (*opened, error) {
	module, err := tokens.Open(library, o...)
	if err != nil {
		return nil, err
	}
	k := &opened{module: module}
	if k.session, k.key, err = login(module); err != nil {
		return nil, errors.Join(err, module.Close())
	}
	return k, nil
}

func login(module *tokens.Module) (*tokens.Session, *tokens.Key, error) {
	token, err := module.Find("Bench")
	if err != nil {
		return nil, nil, err
	}
	session, err := token.Login([]byte(benchPIN), false)
	if err != nil {
		return nil, nil, err
	}
	keys, err := session.Keys()
	if err == nil && len(keys) != 1 {
		err = reason.Errorf(reason.TokenKeyAbsent, "%d keys", len(keys))
	}
	if err != nil {
		return nil, nil, errors.Join(err, session.Close())
	}
	return session, keys[0], nil
}

// added measures signatures in turns.
func added(o options, inside, outside *opened) ([]row, error) {
	digest := make([]byte, 32)
	kinds := []*opened{inside, outside}
	took := make([][]time.Duration, len(kinds))
	for i := range o.rounds + 10 {
		for j, k := range kinds {
			start := time.Now()
			if _, err := k.key.Sign(nil, digest, nil); err != nil {
				return nil, err
			}
			if i >= 10 { // the first ones warm up
				took[j] = append(took[j], time.Since(start))
			}
		}
	}
	in, out := median(took[0]), median(took[1])
	return []row{
		{name: "signature, library in this process", value: micro(in)},
		{name: "signature, library in a process of its own", value: micro(out)},
		{name: "added by the bridge and the process", value: micro(out - in), goal: "≤ " + micro(addedGoal), met: out-in <= addedGoal},
	}, nil
}

// respawn measures how long it takes to start the process of a library, and to open one
// with a token, a PIN and a key, which is what follows a crash.
func respawn(o options, library string) ([]row, error) {
	times := max(o.rounds/40, 3)
	var starts, keys []time.Duration
	for range times {
		start := time.Now()
		module, err := tokens.Open(library)
		if err != nil {
			return nil, err
		}
		starts = append(starts, time.Since(start))
		session, _, err := login(module)
		if err != nil {
			return nil, errors.Join(err, module.Close())
		}
		keys = append(keys, time.Since(start))
		if err := errors.Join(session.Close(), module.Close()); err != nil {
			return nil, err
		}
	}
	return []row{
		{name: "start of the process of a library", value: milli(median(starts))},
		{name: "the same, until the PIN is entered and the key is there", value: milli(median(keys))},
	}, nil
}
