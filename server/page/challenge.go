package page

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/page/plugins"
)

// Method is a way to sign in or to sign, named as in the configuration.
type Method string

// The methods.
const (
	MethodGOSTTLS Method = "gost-tls"
	MethodAgent   Method = "agent"
	MethodPlugin  Method = "plugin"
)

// Choice is the page that asks how to sign in, or to sign.
type Choice struct {
	// Service is who waits, and What the service of his that was chosen; it may be empty.
	Service string
	What    Text
	// Methods are offered in this order.
	Methods []Method
	// GOSTTLS is where MethodGOSTTLS leads.
	GOSTTLS string
	// Agent and Plugin are where the forms of MethodAgent and MethodPlugin are posted,
	// with Request in the field request unless it is empty.
	Agent, Plugin string
	Request       string
	// Sign is what is to be signed; nil for a sign-in.
	Sign *ToSign
	// Account is what is offered beside keys; nil where people have no accounts.
	Account *Account
	// Notice is what the operator wants people to know.
	Notice Text
}

// ToSign tells a person what he is asked to sign.
type ToSign struct {
	Service string
	SignIn  bool
	// Text is what is signed, unless it is a document with a name.
	Text                     string
	Name                     string
	Size                     int64
	Streebog256, Streebog512 []byte
}

// Facts tells about the document.
func (t ToSign) Facts() []Fact {
	facts := []Fact{{Label: Text{RU: "Кто просит", EN: "Who asks"}, Value: t.Service}}
	if t.Name == "" {
		return facts
	}
	return append(facts,
		Fact{Label: Text{RU: "Документ", EN: "Document"}, Value: t.Name},
		Fact{Label: Text{RU: "Размер, байт", EN: "Size, bytes"}, Value: strconv.FormatInt(t.Size, 10)},
		Fact{Label: Text{RU: "Хэш ГОСТ Р 34.11-2012 (256)", EN: "Digest, Streebog-256"}, Value: hex.EncodeToString(t.Streebog256)},
		Fact{Label: Text{RU: "Хэш ГОСТ Р 34.11-2012 (512)", EN: "Digest, Streebog-512"}, Value: hex.EncodeToString(t.Streebog512)})
}

// Waiting is the page that stays while an agent works in another tab.
type Waiting struct {
	What ToSign
	// Gateway is the address that agents are told to enrol.
	Gateway string
	// Agents are the addresses to try, the usual one first.
	Agents []Agent
	// Status answers with the phase in JSON.
	Status string
	// Again is where to start once more.
	Again Link
	// Until is when the time is over.
	Until time.Time
	// Done tells that the answer has come, in another tab.
	Done bool
}

// Agent is a way to an agent.
type Agent struct{ Address, URL string }

// Signing is the page on which a plug-in signs.
type Signing struct {
	What ToSign
	// Content is what is signed; nil for a document, of which there are the digests.
	Content              []byte
	Digest256, Digest512 []byte
	State, Purpose       string
	Kinds                []person.Kind
	Again                Link
}

// Base64 is the content for the script.
func (s Signing) Base64() string { return base64.StdEncoding.EncodeToString(s.Content) }

// Hex256 is a digest for the script.
func (s Signing) Hex256() string { return hex.EncodeToString(s.Digest256) }

// Hex512 is the other digest for the script.
func (s Signing) Hex512() string { return hex.EncodeToString(s.Digest512) }

// KindList is the kinds of holders for the script.
func (s Signing) KindList() string {
	names := make([]string, len(s.Kinds))
	for i, k := range s.Kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ",")
}

// Script is the script of plug-ins; empty if this program is without it.
func (Signing) Script() string {
	if !plugins.Built() {
		return ""
	}
	return plugins.ScriptPath
}

// Post is the page that posts a request to an agent because it is too long for a URL.
type Post struct{ Origin, Path, Request string }

// Waiting writes the page that stays while an agent works.
func (b *Book) Waiting(w http.ResponseWriter, r *http.Request, wait Waiting) error {
	v := view{
		Title: Text{RU: "Откройте программу подписи", EN: "Open the signing program"},
		Cause: Text{
			RU: "Нажмите кнопку: в новой вкладке откроется программа «Пропуск-агент» на вашем компьютере. Она покажет, кто и что просит подписать, и спросит PIN-код. Эту вкладку не закрывайте.",
			EN: "The button opens the program on your computer in a new tab. It shows who asks for what, and asks for the PIN. Leave this tab open.",
		},
		Wait: &wait,
	}
	if wait.Done {
		v.Title, v.Tone = Text{RU: "Продолжение — в другой вкладке", EN: "This goes on in another tab"}, "good"
		v.Cause = Text{
			RU: "Ответ программы получен. Перейдите на вкладку, в которой она открывалась; эту можно закрыть.",
			EN: "The program has answered. Go to the tab in which it opened; this one may be closed.",
		}
	}
	policy(w.Header(), "script-src 'self'; connect-src 'self'; form-action 'self'")
	return b.write(w, r, "wait", http.StatusOK, v)
}

// Signing writes the page on which a plug-in signs.
func (b *Book) Signing(w http.ResponseWriter, r *http.Request, s Signing) error {
	policy(w.Header(), "script-src "+plugins.ScriptSources()+"; form-action 'self'")
	return b.write(w, r, "signing", http.StatusOK, view{
		Title: Text{RU: "Подпись через плагин браузера", EN: "Signing with a plug-in of the browser"},
		Lead: Text{
			RU: "Нужен «КриптоПро ЭЦП Browser plug-in» или «Рутокен Плагин». PIN-код спросит сам плагин или эта страница, если плагин передаёт его токену.",
			EN: "КриптоПро ЭЦП Browser plug-in or Рутокен Плагин is needed. The plug-in asks for the PIN, or this page does if the plug-in hands it to the token.",
		},
		Sign: &s,
	})
}

// Post writes the page that posts a request to an agent.
func (b *Book) Post(w http.ResponseWriter, r *http.Request, p Post) error {
	policy(w.Header(), "script-src 'self'; form-action "+p.Origin)
	return b.write(w, r, "post", http.StatusOK, view{
		Title: Text{RU: "Переход в программу подписи", EN: "On to the signing program"},
		Lead: Text{
			RU: "Если программа не открылась сама, нажмите кнопку.",
			EN: "Press the button if the program does not open by itself.",
		},
		Post: &p,
	})
}

// Continue writes the page after a signature, which goes on by itself.
func (b *Book) Continue(w http.ResponseWriter, r *http.Request, url string) error {
	return b.write(w, r, "continue", http.StatusOK, view{
		Title: Text{RU: "Подпись проверена", EN: "The signature is good"}, Tone: "good",
		Lead:  Text{RU: "Возвращаем вас в сервис.", EN: "You are being sent back to the service."},
		Links: []Link{{Text{RU: "Продолжить", EN: "Continue"}, url}},
	})
}

// challengeAdvice is about sign-in and signing by a challenge.
func challengeAdvice(code reason.Code) (advice, bool) {
	titles := map[reason.Code]Text{
		reason.ChallengeUnknown:      {"Этого входа или подписания уже нет", "This sign-in or signing is no more"},
		reason.ChallengeExpired:      {"Время на подпись вышло", "The time for signing is over"},
		reason.ChallengeAnswered:     {"Подпись уже получена", "The signature has come already"},
		reason.ChallengeUsed:         {"Подпись уже использована", "The signature was used already"},
		reason.ChallengeUnanswered:   {"Подписи ещё нет", "There is no signature yet"},
		reason.ChallengeOtherBrowser: {"Вход начат в другом браузере", "Another browser started this"},
		reason.ChallengeOtherTab:     {"Продолжите там, где подписали", "Go on where you signed"},
		reason.ChallengeOrigin:       {"Ответ с чужого сайта", "An answer from another site"},
		reason.ChallengeAttempts:     {"Слишком много попыток", "Too many attempts"},
		reason.ChallengeContent:      {"Подписано не то", "The signature is over something else"},
		reason.ChallengeSigners:      {"Нужна одна подпись", "One signature is wanted"},
		reason.ChallengeNotBound:     {"Подпись не подходит", "The signature does not fit"},
		reason.ChallengeSigningTime:  {"Проверьте часы компьютера", "Check the clock of the computer"},
		reason.ChallengeCancelled:    {"Вы отказались от подписи", "You declined to sign"},
		reason.ChallengeAgentFailed:  {"Подписать не получилось", "Signing did not work"},
		reason.SigningOrderUnknown:   {"Документа на подпись нет", "There is nothing to sign"},
		reason.SigningOrderExpired:   {"Время на подпись вышло", "The time for signing is over"},
		reason.SigningOrderDone:      {"Документ уже подписан", "The document is signed already"},
		reason.SigningOrderPerson:    {"Подписать должен другой человек", "Somebody else must sign"},
	}
	title, ok := titles[code]
	if !ok {
		return advice{}, false
	}
	steps := []Text{stepBack()}
	switch code {
	case reason.ChallengeUnknown: // nobody knows what it was
		steps = []Text{{"Вернитесь в сервис и начните заново.", "Go back to the service and start again."}}
	case reason.SigningOrderUnknown, reason.SigningOrderExpired, reason.SigningOrderDone, reason.SigningOrderPerson:
		steps = []Text{stepService()}
	case reason.ChallengeOtherBrowser:
		steps = append(steps, Text{
			"Если вход начинали вы, а cookie в браузере выключены, разрешите их для этого сайта.",
			"If it was you, and cookies are switched off, allow them for this site.",
		}, Text{
			"Если вход начинали не вы, сообщите в техническую поддержку, по какой ссылке пришли.",
			"If it was not you, tell technical support which link brought you here.",
		})
	case reason.ChallengeAgentFailed:
		steps = []Text{
			{"Подключите токен, дождитесь индикатора и начните заново.", "Connect the token, wait for its light and start again."},
			{"Если не помогает, проверьте токен: propusk token doctor.", "If this does not help, check the token: propusk token doctor."},
		}
	case reason.ChallengeSigningTime:
		steps = []Text{{
			"Включите в системе автоматическую установку времени и начните заново.",
			"Let the system set its clock by itself, and start again.",
		}}
	}
	return advice{Title: title, Cause: entryText(code), Steps: steps}, true
}

// policy lets a page do more than others: what is given, beside style and images.
func policy(h http.Header, more string) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; "+more+"; base-uri 'none'; frame-ancestors 'none'")
}
