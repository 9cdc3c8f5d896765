package check

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"propusk/pki/reason"
	"propusk/server/page"
	"propusk/server/store"
)

// save keeps a result under a code, in the store if there is one.
func (c *Check) save(x *gin.Context, code string, s saved) error {
	if c.opts.Store == nil {
		if !c.results.PutAs(code, s) {
			return reason.Errorf(reason.ServerBusy, "too many results are kept")
		}
		return nil
	}
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return c.opts.Store.Update(x.Request.Context(), func(tx store.Tx) error { return tx.AddCheckRun(c.checkRun(code, s, data)) })
}

// report tells a result in words for support. It is in Russian: they are the ones who read
// it.
func (c *Check) report(code string, s saved) Report {
	f := s.Facts
	d := Diagnose(c.rows, &f)
	var b strings.Builder
	fmt.Fprintf(&b, "Проверка %s, %s\n", code, page.Time(s.At))
	for _, step := range d.Steps {
		fmt.Fprintf(&b, "%d. %s: %s\n", step.Number, step.Title.RU, words(step.Mark).RU)
		for _, found := range step.Findings {
			name := found.Row
			if name == "" {
				name = string(found.Code)
			}
			fmt.Fprintf(&b, "   [%s] %s\n", name, found.Cause.RU)
		}
	}
	f.describe(&b)
	return Report{Code: code, At: s.At, Text: b.String(), Certificate: s.Certificate}
}

// describe tells the facts themselves.
func (f *Facts) describe(b *strings.Builder) {
	if h := f.Hello; h != nil {
		fmt.Fprintf(b, "Соединение: %s %s %s, ГОСТ предложен: %s, старые номера: %s\n", h.Kind, h.Version, h.Suite, yes(h.Offered), yes(h.Draft))
	}
	for _, r := range f.Refused {
		fmt.Fprintf(b, "Не удалось соединение: %s, %s\n", r.Host, r.Why)
	}
	if a := f.Agent; a != nil {
		fmt.Fprintf(b, "Агент %s: считывателей %s, карт %s, библиотек %d, шлюз %s\n", a.Version, count(a.Readers), count(a.Cards), a.Modules, a.Gateway)
		for _, t := range a.Tokens {
			fmt.Fprintf(b, "Носитель %s: PIN %s, сертификатов %s, с истёкшим сроком %s\n", t.Model, t.PIN, count(t.Certificates), count(t.Expired))
		}
	}
	for _, p := range f.Plugins {
		fmt.Fprintf(b, "Плагин %s: %s %s, CSP %s\n", p.ID, p.State, p.Version, p.CSP)
	}
	f.Signature.describe(b, "Подпись")
	f.Entrance.describe(b, "Вход")
}

// describe tells about a certificate without its holder.
func (h *Holder) describe(b *strings.Builder, what string) {
	if h == nil {
		return
	}
	code := string(h.Code)
	if code == "" {
		code = "ok"
	}
	fmt.Fprintf(b, "%s: %s, вид %s", what, code, h.Kind)
	if !h.NotAfter.IsZero() {
		fmt.Fprintf(b, ", действует по %s", page.Time(h.NotAfter))
	}
	b.WriteString("\n")
	for _, ca := range h.Chain {
		fmt.Fprintf(b, "   УЦ %s, прислан: %s\n", ca.Name, yes(ca.Came))
	}
}

func yes(b bool) string {
	if b {
		return "да"
	}
	return "нет"
}

// count is a number, or that nobody knows it.
func count(n int) string {
	if n < 0 {
		return "неизвестно"
	}
	return strconv.Itoa(n)
}
