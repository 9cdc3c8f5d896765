package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/server/config"
	"propusk/server/engine"
)

// engineFlags are the flags that say who computes signatures.
type engineFlags struct {
	name     string
	module   string
	token    string
	pinFile  string
	whenLost string

	mu   sync.Mutex
	lost error // why the module did not decide about a signature
}

// add gives a command the flags.
func (f *engineFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.name, "engine", sigalg.EngineGo, "чем проверять подписи ГОСТ: go, pkcs11 или both / what verifies GOST signatures: go, pkcs11 or both, which must agree")
	flags.StringVar(&f.module, "module", "", "с --engine: библиотека PKCS#11 / with --engine: PKCS#11 library")
	flags.StringVar(&f.token, "token", "", "с --engine: название или номер токена / with --engine: label or serial number of the token")
	flags.StringVar(&f.pinFile, "pin-file", "", "с --engine: файл с PIN-кодом, если токен без него не проверяет / with --engine: file with the PIN, if the token verifies nothing without")
	flags.StringVar(&f.whenLost, "when-lost", "refuse", "с --engine: если модуль не отвечает, refuse или fallback (проверит программа, о чём сказано в заключении) / with --engine: if the module does not answer")
}

// open returns who computes, nil for this program, and what ends it, which is never nil.
func (f *engineFlags) open() (choice *sigalg.Choice, closeEngine func() error, err error) {
	none := func() error { return nil }
	if !slices.Contains([]string{sigalg.EngineGo, sigalg.EnginePKCS11, sigalg.EngineBoth}, f.name) {
		return nil, none, fmt.Errorf("--engine: %q is none of go, pkcs11 and both", f.name)
	}
	v := config.Verification{Engine: f.name, Module: f.module, Token: f.token, PINFile: f.pinFile, Sessions: 1, WhenLost: f.whenLost}
	switch {
	case !slices.Contains([]string{"refuse", "fallback"}, f.whenLost):
		return nil, none, fmt.Errorf("--when-lost: %q is neither refuse nor fallback", f.whenLost)
	case !v.External() && (f.module != "" || f.token != "" || f.pinFile != ""):
		return nil, none, fmt.Errorf("--module: is of no use without --engine pkcs11 or both")
	case !v.External():
		return nil, none, nil
	case f.module == "":
		return nil, none, fmt.Errorf("--engine %s: --module is missing", f.name)
	}
	k := engine.New(engine.Options{Config: v, Observe: f.noticed})
	return k.Choice(), k.Close, nil
}

// noticed keeps why the module did not decide about a signature: the first reason, since
// the next ones may follow from it.
func (f *engineFlags) noticed(c sigalg.Computed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.Err != nil && f.lost == nil {
		f.lost = c.Err
	}
}

// explain says why the module did not answer and what to do about it: the verdict only
// says that it did not.
func (f *engineFlags) explain(w io.Writer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lost == nil {
		return
	}
	text := fmt.Sprintf("--engine %s: %s", f.name, moduleTrouble(f.module, f.lost))
	if code := reason.Of(f.lost); code != reason.InternalError {
		text = string(code) + ": " + text
	}
	fmt.Fprintln(w, text)
}

// moduleTrouble is what is wrong with a module, and what to do about it, in one line.
func moduleTrouble(module string, err error) string {
	text := module + ": " + strings.Join(strings.Fields(cause(err)), " ")
	if code, ok := errors.AsType[reason.Code](err); ok {
		if entry, known := reason.Lookup(code); known {
			text += " — " + entry.RU + " / " + entry.EN
		}
	}
	return text
}
