package profile

import (
	"propusk/server/account"
	"propusk/server/form"
	"propusk/server/page"
	"propusk/server/store"
)

// blockPage is what the page of the lock sees.
type blockPage struct{ Done bool }

// askBlock tells what the lock does, and asks (IP-30).
func (p *Profile) askBlock(c call) { p.showBlock(c, nil) }

func (p *Profile) showBlock(c call, wrong form.Errors) {
	p.show(c, "block", page.View{
		Title: page.Text{RU: "Заблокировать учётную запись", EN: "Block the account"}, Tone: "warn", Errors: wrong, Here: pathBlock,
		Lead: page.Text{
			RU: "Никто, и вы тоже, больше не войдёт ни с ключом, ни по паролю. Открыть учётную запись снова можно только лично, с документом.",
			EN: "Nobody, nor you, will sign in by key or password. It is opened again in person only, with a paper of identity.",
		},
		Data: blockPage{},
	})
}

// block blocks the account at once. The visit is over by it, so the answer is the page itself.
func (p *Profile) block(c call) {
	v, ok := p.parse(c, form.Limits{"sure": {Max: 3}})
	if !ok {
		return
	}
	if v["sure"] != "yes" {
		p.showBlock(c, form.Errors{{Field: "sure", Text: page.Text{RU: "Отметьте, что вы понимаете последствия", EN: "Say that you know what follows"}}})
		return
	}
	var ended []account.Visit
	var keys []account.Key
	err := p.update(c, func(tx store.Tx, acc account.Account) (err error) {
		if keys, err = tx.Keys(acc.ID); err != nil {
			return err
		}
		ended, err = p.opts.Admission.Block(tx, c.r, acc)
		return err
	})
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	p.over(ended)
	for _, k := range keys {
		p.over(nil, k.SHA256)
	}
	page.Written(c.w, c.r, p.opts.Pages.Show(c.w, c.r, "profile/block", page.View{
		Title: page.Text{RU: "Учётная запись заблокирована", EN: "The account is blocked"}, Tone: "good", Here: Path, Data: blockPage{Done: true},
	}))
}
