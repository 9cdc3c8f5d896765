package signrequest

import (
	"bytes"
	"strings"
	"time"
)

// Content returns the exact bytes that the signature is to be over, detached, and nil for
// a document, whose digests are signed instead. It must be called on a request that
// Check accepts.
//
// For a sign-in it is a text that binds the gateway, the purpose, the nonce and the time,
// so that a signature is of no use to another gateway, for anything but a sign-in, or
// once more; and a person who finds it later can read what it was for.
func (r Request) Content() []byte {
	switch r.Purpose {
	case SignText:
		return []byte(r.Text)
	case SignIn:
		return r.signInText()
	}
	return nil
}

// The beginning of the text of a sign-in, which no other text or document may have.
const (
	signInTitle   = "Вход с электронной подписью"
	signInGateway = "Шлюз: "
)

// LooksLikeSignIn reports whether a document could be the text of a sign-in, of this gateway
// or another. Nobody may be asked to sign one as a text or a document: whoever ordered it
// would sign in as the person who signed it.
func LooksLikeSignIn(document []byte) bool {
	return bytes.HasPrefix(document, []byte(signInTitle+"\n"+signInGateway))
}

// signInText writes the text of a sign-in, one fact a line. No value can hold a line end.
func (r Request) signInText() []byte {
	var b strings.Builder
	for _, line := range [][2]string{
		{signInTitle, ""},
		{signInGateway, r.Issuer},
		{"Сервис: ", r.Service},
		{"Назначение: ", "вход (" + string(r.Purpose) + "). Этот текст не является документом и не создаёт обязательств."},
		{"Время: ", r.began().UTC().Format(time.RFC3339)},
		{"Номер: ", r.ID},
		{"Одноразовое число: ", r.Nonce},
	} {
		b.WriteString(line[0])
		b.WriteString(line[1])
		b.WriteByte('\n')
	}
	return []byte(b.String())
}
