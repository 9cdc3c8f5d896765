package testgateway

import (
	"bytes"
	"time"

	"propusk/server/account"
	"propusk/server/password"
	"propusk/server/store"
)

// Address is the confirmed address of an account that AddAccount opened.
func Address(who string) string { return who + "@people.example" }

// GivePassword gives an account a password, hashed as a gateway with WithAccounts does. A
// change may alter it before it is written.
func (g *Gateway) GivePassword(db store.Store, a account.Account, secret string, change ...func(*account.Password)) {
	g.t.Helper()
	sealer, err := account.NewSealer(bytes.Repeat([]byte{9}, 32))
	if err != nil {
		g.t.Fatal(err)
	}
	pepper := sealer.Pepper("passwords", "")
	params := password.Params{Memory: uint32(g.Config.Login.HashMemory), Time: uint32(g.Config.Login.HashPasses)} //nolint:gosec // small
	h, err := password.New(password.Options{Params: params, Pepper: pepper[:], Concurrent: 1, Waiting: 8})
	if err != nil {
		g.t.Fatal(err)
	}
	p := account.Password{Account: a.ID, Set: g.Clock().Add(-time.Hour)}
	if p.Hash, err = h.Hash(g.t.Context(), secret); err != nil {
		g.t.Fatal(err)
	}
	for _, f := range change {
		f(&p)
	}
	if err := db.Update(g.t.Context(), func(tx store.Tx) error { return tx.PutPassword(p) }); err != nil {
		g.t.Fatal(err)
	}
}
