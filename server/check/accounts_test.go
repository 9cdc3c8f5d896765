package check_test

import (
	"strings"
	"testing"
	"time"

	"propusk/server/account"
	"propusk/server/store"
	"propusk/server/testgateway"
)

// TestCabinetOrRegistration is CK-05: whoever has an account goes to the cabinet, whoever has
// none to the registration. The result is kept with the accounts, for whoever reads it there.
func TestCabinetOrRegistration(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithAccounts)
	db, err := store.Open(g.Path(testgateway.AccountsFile))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	g.AddAccount(db, "ip")
	w := begin(t, g, g.GOSTBrowser("ip"), g.Config.Public.URL).enter()
	if to := w.link("Перейти в личный кабинет"); to != "https://service.example/" {
		t.Errorf("the cabinet is at %s", to)
	}
	w = begin(t, g, g.GOSTBrowser("ip512"), g.Config.Public.URL).enter()
	if to := w.link("Перейти к регистрации"); !strings.HasPrefix(to, g.Config.Public.URL+"/") {
		t.Errorf("the registration is at %s", to)
	}

	w.open(w.link("Получить код проверки"))
	_, rest, _ := strings.Cut(w.page, `id="check-code">`)
	code, _, _ := strings.Cut(rest, "<")
	if to := w.link("Написать в поддержку"); to != g.Config.Public.URL+"/support?check="+code {
		t.Errorf("support is at %s", to)
	}
	var kept account.CheckRun
	err = db.View(t.Context(), func(tx store.Tx) error {
		kept, err = tx.CheckRun(code, time.Now())
		return err
	})
	if err != nil || !strings.Contains(string(kept.Data), `"facts"`) || !kept.Expires.After(kept.Created.Add(24*time.Hour)) {
		t.Errorf("%v, %s", err, kept.Data)
	}
	p := g.Country.Person("ip512")
	if strings.Contains(string(kept.Data), p.INN) || strings.Contains(string(kept.Data), p.SNILS) {
		t.Error("the result has numbers of the person in it")
	}
}
