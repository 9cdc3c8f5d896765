package page

import (
	"cmp"
	"net/http"

	"propusk/pki/reason"
)

// Account is what the page that asks how to sign in offers beside keys, where people have
// accounts.
type Account struct {
	// Password is where login and password are posted to; empty if the service does not take
	// them. Recovery is for who has forgotten the password.
	Password, Recovery string
	// Second is where who has signed in by password proves a second factor; empty if that
	// would not do, or there is nobody.
	Second string
	// Token is for the forms.
	Token string
	// Who visits already, and has not proven enough; nil if nobody does.
	Who *Person
	// Known is by what Who has signed in.
	Known Text
	// Wanted is what the service wants, in the words of "The service takes …".
	Wanted Text
	// Again says that Who has proven enough, but too long ago.
	Again bool
	// Registers says that a key without an account opens one.
	Registers bool
	// Demo says that the login of the demo opens something.
	Demo bool
}

// head returns the title and the lead of the page.
func (c *Choice) head() (title, lead Text) {
	service := Text{RU: cmp.Or(c.What.RU, c.Service), EN: cmp.Or(c.What.EN, c.Service)}
	a := c.Account
	switch {
	case c.Sign != nil:
		return Text{RU: "Подписать документ", EN: "Sign a document"}, Text{
			RU: "Сервис «" + service.RU + "» просит вас подписать документ. Прочитайте его и выберите, чем подписать.",
			EN: "“" + service.EN + "” asks you to sign a document. Read it and choose how to sign.",
		}
	case a == nil:
		return Text{RU: "Как вы хотите войти?", EN: "How do you want to sign in?"}, Text{
			RU: "Вход в сервис «" + service.RU + "». Выберите способ, который подходит к вашему компьютеру.",
			EN: "You are signing in to “" + service.EN + "”. Choose the way that fits your computer.",
		}
	case c.Service == "":
		return a.ownHead()
	case a.Who == nil:
		return Text{RU: "Вход", EN: "Sign in"}, Text{
			RU: "Вы входите в сервис «" + service.RU + "».", EN: "You are signing in to “" + service.EN + "”.",
		}
	case a.Again:
		return confirmTitle(), Text{
			RU: "Вы вошли давно. Сервис «" + service.RU + "» просит войти ещё раз; после этого вы вернётесь к нему.",
			EN: "You have signed in a while ago. “" + service.EN + "” asks you to sign in once more; then you return to it.",
		}
	}
	return strongerTitle(), Text{
		RU: "Сервис «" + service.RU + "» принимает " + a.Wanted.RU + ". Вы вошли " + a.Known.RU + ". Подтвердите вход, и вы вернётесь к этому сервису.",
		EN: "“" + service.EN + "” takes " + a.Wanted.EN + ". You have signed in " + a.Known.EN + ". Confirm, and you return to this service.",
	}
}

// ownHead is the head where a page of the gateway itself waits.
func (a *Account) ownHead() (title, lead Text) {
	switch {
	case a.Who == nil:
		return Text{RU: "Вход", EN: "Sign in"}, Text{RU: "Вы входите в свою учётную запись.", EN: "You are signing in to your account."}
	case a.Again:
		return confirmTitle(), Text{
			RU: "Вы вошли давно. Войдите ещё раз, и вы вернётесь на страницу, с которой пришли.",
			EN: "You have signed in a while ago. Sign in once more, and you return to the page that you came from.",
		}
	}
	return strongerTitle(), Text{
		RU: "Для этого нужен " + a.Wanted.RU + ". Вы вошли " + a.Known.RU + ". Подтвердите вход, и вы вернётесь на страницу, с которой пришли.",
		EN: "This takes " + a.Wanted.EN + ". You have signed in " + a.Known.EN + ". Confirm, and you return to the page that you came from.",
	}
}

func confirmTitle() Text {
	return Text{RU: "Подтвердите, что это вы", EN: "Confirm that it is you"}
}

func strongerTitle() Text {
	return Text{RU: "Нужно подтвердить вход", EN: "A stronger sign-in is needed"}
}

// Choice writes the page that asks how to sign in, or to sign.
func (b *Book) Choice(w http.ResponseWriter, r *http.Request, c Choice) error {
	title, lead := c.head()
	v := View{Title: title, Lead: lead, Data: view{Ways: &c}}
	if c.Account != nil {
		v.Token, v.Who = c.Account.Token, c.Account.Who
	}
	return b.Show(w, r, "gateway/choice", v)
}

// Onward writes a page that leads on to an address, after a form that could not redirect
// there: the policy of its page lets it come to this host and no further.
func (b *Book) Onward(w http.ResponseWriter, r *http.Request, url string) error {
	return b.write(w, r, "continue", http.StatusOK, view{
		Title: Text{RU: "Готово", EN: "Done"}, Tone: "good",
		Lead:  Text{RU: "Возвращаем вас в сервис.", EN: "You are being sent back to the service."},
		Links: []Link{{Text{RU: "Продолжить", EN: "Continue"}, url}},
	})
}

// visitAdvice is about visits, and what services want of them.
func visitAdvice(code reason.Code) (advice, bool) {
	switch code {
	case reason.VisitOtherAccount:
		return advice{
			Title: Text{"В браузере вошёл другой пользователь", "Somebody else is signed in"},
			Cause: entryText(code),
			Steps: []Text{
				{"Если это были вы, повторите вход своим ключом или паролем той же учётной записи.", "If that was you, sign in once more with the key or password of the same account."},
				{"Если вы хотите войти под другой учётной записью, сначала выйдите.", "If you want to use another account, sign out first."},
			},
		}, true
	case reason.VisitOver:
		return advice{
			Title: Text{"Сеанс завершён", "The visit has ended"},
			Cause: entryText(code),
			Steps: []Text{stepBack()},
		}, true
	case reason.LevelPhysical:
		return advice{
			Title: Text{"Нужен ключ на носителе", "A key in a token is needed"},
			Cause: entryText(code),
			Steps: []Text{
				{"Если у вас есть другой сертификат — с ключом внутри токена или смарт-карты, — подключите этот носитель и войдите с ним.", "If you have another certificate whose key is inside a token or a smart card, insert it and sign in with that."},
				{"Остальные сервисы работают и с этим ключом: вернитесь и выберите другой.", "Other services take this key as well: go back and choose another one."},
			},
		}, true
	}
	return advice{}, false
}
