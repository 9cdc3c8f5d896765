package tsl

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"strconv"
	"strings"
	"time"

	"crypto/sha1" // the list names certificates by it

	"propusk/pki/gostx509"
)

// NewCertificate describes a certificate as the list does.
func NewCertificate(c *gostx509.Certificate) Certificate {
	return Certificate{
		DER:        c.Raw,
		Thumbprint: sha1.Sum(c.Raw),
		Issuer:     c.Issuer.String(),
		Subject:    c.Subject.String(),
		Serial:     strings.ToUpper(hex.EncodeToString(c.Serial)),
		NotBefore:  c.NotBefore,
		NotAfter:   c.NotAfter,
	}
}

// Marshal writes a list as XML without a signature, in the order of elements
// that Минцифры uses. Parse reads it back to the same content.
func Marshal(c *Content) ([]byte, error) {
	if c.Version < 0 {
		return nil, errors.New("tsl: negative version")
	}
	var w writer
	w.buf.WriteString(xml.Header)
	w.element(rootName, func() {
		w.text("Версия", strconv.Itoa(c.Version))
		w.time("Дата", c.Date)
		for _, ca := range c.CAs {
			w.element("УдостоверяющийЦентр", func() { w.record(ca) })
		}
	})
	w.buf.WriteByte('\n')
	return w.buf.Bytes(), nil
}

// writer writes elements, one a line.
type writer struct {
	buf   bytes.Buffer
	depth int
}

func (w *writer) record(ca *CA) {
	w.optional("Название", ca.Name)
	w.optional("КраткоеНазвание", ca.ShortName)
	w.optional("ЭлектроннаяПочта", ca.Email)
	w.optional("АдресСИнформациейПоУЦ", ca.InfoURL)
	w.optional("АдресСИнформациейПоРеестрамСертификатов", ca.RegistersURL)
	w.address(ca.Address)
	w.element("ПрограммноАппаратныеКомплексы", func() {
		for i := range ca.Installations {
			w.element("ПрограммноАппаратныйКомплекс", func() { w.installation(&ca.Installations[i]) })
		}
	})
	w.optional("ИНН", ca.INN)
	w.optional("ОГРН", ca.OGRN)
	w.optional("РеестровыйНомер", ca.RegistryNumber)
	if ca.Current != (StatusChange{}) {
		w.status(ca.Current)
	}
	w.element("ИсторияСтатусовАккредитации", func() {
		for _, change := range ca.History {
			w.status(change)
		}
	})
	w.optional("ПолномочияПереданыУЦсОГРН", ca.SuccessorOGRN)
}

func (w *writer) address(a Address) {
	if a == (Address{}) {
		return
	}
	w.element("Адрес", func() {
		w.optional("Страна", a.Country)
		w.optional("Индекс", a.PostCode)
		w.optional("Регион", a.Region)
		w.optional("Город", a.City)
		w.optional("УлицаДом", a.Street)
	})
}

func (w *writer) installation(i *Installation) {
	w.optional("Псевдоним", i.Alias)
	w.optional("КлассСредствЭП", i.Class)
	w.address(i.Address)
	w.optional("СредстваУЦ", i.Tools)
	w.element("КлючиУполномоченныхЛиц", func() {
		for j := range i.Keys {
			w.element("Ключ", func() { w.key(&i.Keys[j]) })
		}
	})
}

func (w *writer) key(k *Key) {
	w.text("ИдентификаторКлюча", strings.ToUpper(hex.EncodeToString(k.ID)))
	w.element("АдресаСписковОтзыва", func() {
		for _, url := range k.CRLs {
			w.text("Адрес", url)
		}
	})
	w.element("Сертификаты", func() {
		for i := range k.Certificates {
			w.element("ДанныеСертификата", func() { w.certificate(&k.Certificates[i]) })
		}
	})
}

func (w *writer) certificate(c *Certificate) {
	w.text("Отпечаток", strings.ToUpper(hex.EncodeToString(c.Thumbprint[:])))
	w.optional("КемВыдан", c.Issuer)
	w.optional("КомуВыдан", c.Subject)
	w.optional("СерийныйНомер", c.Serial)
	if !c.NotBefore.IsZero() {
		w.time("ПериодДействияС", c.NotBefore)
	}
	if !c.NotAfter.IsZero() {
		w.time("ПериодДействияДо", c.NotAfter)
	}
	w.text("Данные", base64.StdEncoding.EncodeToString(c.DER))
}

func (w *writer) status(c StatusChange) {
	w.element("СтатусАккредитации", func() {
		w.text("Статус", c.Value)
		w.time("ДействуетС", c.Since)
	})
}

func (w *writer) line() {
	w.buf.WriteByte('\n')
	for range w.depth {
		w.buf.WriteByte('\t')
	}
}

func (w *writer) element(name string, inside func()) {
	if w.depth > 0 {
		w.line()
	}
	w.buf.WriteString("<" + name + ">")
	w.depth++
	inside()
	w.depth--
	w.line()
	w.buf.WriteString("</" + name + ">")
}

func (w *writer) text(name, text string) {
	w.line()
	w.buf.WriteString("<" + name + ">")
	_ = xml.EscapeText(&w.buf, []byte(text)) // a bytes.Buffer does not fail
	w.buf.WriteString("</" + name + ">")
}

func (w *writer) optional(name, text string) {
	if text != "" {
		w.text(name, text)
	}
}

func (w *writer) time(name string, t time.Time) {
	w.text(name, t.UTC().Format(time.RFC3339Nano))
}
