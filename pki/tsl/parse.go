package tsl

import (
	"bytes"
	"crypto/sha1" // the list names certificates by it
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"propusk/pki/reason"
	"propusk/pki/xmldsig/strictxml"
)

// Limits of a list, some ten times over what the real one needs. Without the
// second one, a file of empty elements would take many times its size in memory.
const (
	maxText    = 1 << 18 // bytes of character data in one element; certificates are the longest
	maxRecords = 500_000 // records, installations, keys, certificates, addresses, changes of status
)

// rootName is the root element of a list.
const rootName = "АккредитованныеУдостоверяющиеЦентры"

// parser reads a list in one pass. Its methods are called with the StartElement
// of an element just read and return after its EndElement.
type parser struct {
	r       *strictxml.Reader
	content Content
	ca      *CA // the record that is being read
	records int
	text    []byte // scratch
}

func parse(d *strictxml.Document) (*Content, error) {
	p := parser{r: d.Reader()}
	if err := p.document(); err != nil {
		return nil, err
	}
	return &p.content, nil
}

func malformed(format string, args ...any) error {
	return reason.Errorf(reason.TSLMalformed, format, args...)
}

// document reads the root element and what may stand around it.
func (p *parser) document() error {
	for {
		t, err := p.r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if t.Kind != strictxml.StartElement {
			continue // comments and processing instructions mean nothing
		}
		if !t.Is("", rootName) {
			return malformed("the root element is %q, not %s", t.Local, rootName)
		}
		if err := p.list(); err != nil {
			return err
		}
	}
}

// list reads the root element.
func (p *parser) list() error {
	seen := make(once)
	err := p.children(rootName, func(name string) error {
		switch name {
		case "Версия":
			return seen.first(name, p.integer(&p.content.Version))
		case "Дата":
			return seen.first(name, p.date(&p.content.Date))
		case "УдостоверяющийЦентр":
			return p.record()
		default:
			return p.r.Skip()
		}
	})
	if err != nil {
		return err
	}
	if !seen["Версия"] || !seen["Дата"] {
		return malformed("the list has no version or no date")
	}
	return nil
}

// record reads one «УдостоверяющийЦентр».
func (p *parser) record() error {
	if err := p.count(); err != nil {
		return err
	}
	ca := &CA{}
	p.ca = ca
	seen := make(once)
	texts := map[string]*string{
		"Название": &ca.Name, "КраткоеНазвание": &ca.ShortName, "ЭлектроннаяПочта": &ca.Email,
		"АдресСИнформациейПоУЦ": &ca.InfoURL, "АдресСИнформациейПоРеестрамСертификатов": &ca.RegistersURL,
		"ИНН": &ca.INN, "ОГРН": &ca.OGRN, "РеестровыйНомер": &ca.RegistryNumber,
		"ПолномочияПереданыУЦсОГРН": &ca.SuccessorOGRN,
	}
	err := p.children("УдостоверяющийЦентр", func(name string) error {
		if to := texts[name]; to != nil {
			return seen.first(name, p.string(to))
		}
		switch name {
		case "Адрес":
			return seen.first(name, p.address(&ca.Address))
		case "ПрограммноАппаратныеКомплексы":
			return seen.first(name, p.installations())
		case "СтатусАккредитации":
			return seen.first(name, p.status(&ca.Current))
		case "ИсторияСтатусовАккредитации":
			return seen.first(name, p.history())
		default:
			return p.r.Skip()
		}
	})
	if err != nil {
		return err
	}
	for _, what := range ca.buildTimeline() {
		p.problem("%s", what)
	}
	p.content.CAs = append(p.content.CAs, ca)
	p.ca = nil
	return nil
}

// address reads a postal address. It is for display, and the programs in the wild
// do not agree on its parts: text and deeper elements are taken as they come.
func (p *parser) address(a *Address) error {
	texts := map[string]*string{
		"Страна": &a.Country, "Индекс": &a.PostCode, "Регион": &a.Region, "Город": &a.City, "УлицаДом": &a.Street,
	}
	return p.mixed(func(name string) error {
		if to := texts[name]; to != nil {
			return p.words(to)
		}
		return p.r.Skip()
	}, func(text []byte) error {
		a.Street = string(bytes.TrimSpace(text))
		return nil
	})
}

func (p *parser) installations() error {
	return p.each("ПрограммноАппаратныеКомплексы", "ПрограммноАппаратныйКомплекс", func() error {
		var i Installation
		seen := make(once)
		texts := map[string]*string{"Псевдоним": &i.Alias, "КлассСредствЭП": &i.Class, "СредстваУЦ": &i.Tools} // for display
		err := p.children("ПрограммноАппаратныйКомплекс", func(name string) error {
			switch {
			case texts[name] != nil:
				return seen.first(name, p.words(texts[name]))
			case name == "Адрес":
				return seen.first(name, p.address(&i.Address))
			case name == "КлючиУполномоченныхЛиц":
				return seen.first(name, p.keys(&i))
			default:
				return p.r.Skip()
			}
		})
		p.ca.Installations = append(p.ca.Installations, i)
		return err
	})
}

func (p *parser) keys(i *Installation) error {
	return p.each("КлючиУполномоченныхЛиц", "Ключ", func() error {
		var k Key
		var id string
		seen := make(once)
		err := p.children("Ключ", func(name string) error {
			switch name {
			case "ИдентификаторКлюча":
				return seen.first(name, p.string(&id))
			case "АдресаСписковОтзыва":
				return seen.first(name, p.crls(&k))
			case "Сертификаты":
				return seen.first(name, p.certificates(&k))
			default:
				return p.r.Skip()
			}
		})
		if err != nil {
			return err
		}
		if k.ID, err = hex.DecodeString(packed(id)); err != nil {
			p.problem("key identifier %.100q is not hexadecimal", id)
		}
		i.Keys = append(i.Keys, k)
		return nil
	})
}

func (p *parser) crls(k *Key) error {
	return p.each("АдресаСписковОтзыва", "Адрес", func() error {
		var url string
		err := p.string(&url)
		if url != "" {
			k.CRLs = append(k.CRLs, url)
		}
		return err
	})
}

func (p *parser) certificates(k *Key) error {
	return p.each("Сертификаты", "ДанныеСертификата", func() error {
		var c Certificate
		var thumbprint, from, to string
		var data []byte
		seen := make(once)
		texts := map[string]*string{
			"Отпечаток": &thumbprint, "КемВыдан": &c.Issuer, "КомуВыдан": &c.Subject,
			"СерийныйНомер": &c.Serial, "ПериодДействияС": &from, "ПериодДействияДо": &to,
		}
		err := p.children("ДанныеСертификата", func(name string) error {
			switch {
			case texts[name] != nil:
				return seen.first(name, p.string(texts[name]))
			case name == "Данные":
				return seen.first(name, p.base64(&data))
			default:
				return p.r.Skip()
			}
		})
		if err != nil {
			return err
		}
		c.DER = data
		c.Thumbprint = sha1.Sum(data)
		if want, err := hex.DecodeString(packed(thumbprint)); err != nil || len(data) == 0 || !bytes.Equal(want, c.Thumbprint[:]) {
			// Whichever of the two is wrong, the publisher cannot have meant both.
			p.problem("certificate %.100q does not have the thumbprint %.100q; it is left out", c.Serial, thumbprint)
			return nil
		}
		// For display only: the dates that matter are in the certificate.
		c.NotBefore, _ = parseTime(from)
		c.NotAfter, _ = parseTime(to)
		k.Certificates = append(k.Certificates, c)
		return nil
	})
}

func (p *parser) history() error {
	return p.each("ИсторияСтатусовАккредитации", "СтатусАккредитации", func() error {
		var c StatusChange
		err := p.status(&c)
		p.ca.History = append(p.ca.History, c)
		return err
	})
}

// status reads one change of status.
func (p *parser) status(c *StatusChange) error {
	var since string
	seen := make(once)
	err := p.children("СтатусАккредитации", func(name string) error {
		switch name {
		case "Статус":
			return seen.first(name, p.string(&c.Value))
		case "ДействуетС":
			return seen.first(name, p.string(&since))
		default:
			return p.r.Skip()
		}
	})
	if err != nil {
		return err
	}
	if c.Since, err = parseTime(since); err != nil {
		p.ca.statusUnreadable = true
	}
	return nil
}

// once remembers which elements of a parent were seen.
type once map[string]bool

// first passes err on, or refuses a name that was seen before: of two values,
// different readers would take different ones.
func (o once) first(name string, err error) error {
	if err == nil && o[name] {
		return malformed("%s occurs twice", name)
	}
	o[name] = true
	return err
}

// problem notes an oddity of the record that is being read.
func (p *parser) problem(format string, args ...any) {
	name := ""
	if p.ca != nil {
		name = p.ca.Name
	}
	p.content.Problems = append(p.content.Problems, Problem{CA: name, What: fmt.Sprintf(format, args...)})
}

// count counts a record against the limit.
func (p *parser) count() error {
	if p.records++; p.records > maxRecords {
		return reason.Errorf(reason.XMLTooLarge, "more than %d records in the list", maxRecords)
	}
	return nil
}

// each calls read for every child element called child, which is counted.
func (p *parser) each(parent, child string, read func() error) error {
	return p.children(parent, func(name string) error {
		if name != child {
			return p.r.Skip()
		}
		if err := p.count(); err != nil {
			return err
		}
		return read()
	})
}

// children calls read with the name of every child element: empty for one in a
// namespace, which is none of ours (the Signature is). read must consume the
// element.
func (p *parser) children(parent string, read func(name string) error) error {
	return p.mixed(read, func([]byte) error { return malformed("text inside %s", parent) })
}

// mixed is children for an element that may hold text; text is called with what
// is not white space.
func (p *parser) mixed(read func(name string) error, text func([]byte) error) error {
	for {
		t, err := p.r.Next()
		if err != nil {
			return err
		}
		switch {
		case t.Kind == strictxml.EndElement:
			return nil
		case t.Kind == strictxml.StartElement && len(t.Space) == 0:
			err = read(string(t.Local))
		case t.Kind == strictxml.StartElement:
			err = read("")
		case t.Kind == strictxml.Text && !strictxml.IsSpace(t.Data):
			err = text(t.Data)
		}
		if err != nil {
			return err
		}
	}
}

// characters returns the character data of an element without children; it must not
// be modified, and the next call may use it again. Comments inside it are as if they
// were not there: the signature does not cover them.
func (p *parser) characters() ([]byte, error) {
	text, size := p.text[:0], 0
	for {
		t, err := p.r.Next()
		if err != nil {
			return nil, err
		}
		switch t.Kind {
		case strictxml.EndElement:
			return text, nil
		case strictxml.StartElement:
			return nil, malformed("element %q where text was expected", t.Local)
		case strictxml.Text:
			if size += len(t.Data); size > maxText {
				return nil, reason.Errorf(reason.XMLTooLarge, "text of more than %d bytes", maxText)
			}
			if len(text) == 0 && t.Plain() {
				text = t.Data[:len(t.Data):len(t.Data)] // of the document: no copy of what nearly all text is
				continue
			}
			text = strictxml.AppendText(text, t.Data, t.CDATA)
			p.text = text
		}
	}
}

func (p *parser) string(to *string) error {
	text, err := p.characters()
	*to = string(bytes.TrimSpace(text))
	return err
}

// words joins all the text inside an element, at any depth, with spaces.
func (p *parser) words(to *string) error {
	var words []string
	size := 0
	for depth := p.r.Depth(); p.r.Depth() >= depth; {
		t, err := p.r.Next()
		if err != nil {
			return err
		}
		if t.Kind != strictxml.Text {
			continue
		}
		if size += len(t.Data); size > maxText {
			return reason.Errorf(reason.XMLTooLarge, "text of more than %d bytes", maxText)
		}
		words = append(words, strings.Fields(string(strictxml.AppendText(nil, t.Data, t.CDATA)))...)
	}
	*to = strings.Join(words, " ")
	return nil
}

func (p *parser) integer(to *int) error {
	var s string
	if err := p.string(&s); err != nil {
		return err
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return malformed("%.100q is no version", s)
	}
	*to = n
	return nil
}

func (p *parser) date(to *time.Time) error {
	var s string
	if err := p.string(&s); err != nil {
		return err
	}
	var err error
	if *to, err = parseTime(s); err != nil {
		return malformed("date of the list: %v", err)
	}
	return nil
}

// base64 decodes the text of an element. What is not base64 becomes nothing.
func (p *parser) base64(to *[]byte) error {
	text, err := p.characters()
	if err != nil {
		return err
	}
	// The decoder passes over line ends, but not over other white space.
	if bytes.IndexByte(text, ' ') >= 0 || bytes.IndexByte(text, '\t') >= 0 {
		text = slices.DeleteFunc(bytes.Clone(text), func(b byte) bool { return b == ' ' || b == '\t' })
	}
	der := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(der, text)
	if err != nil {
		n = 0
	}
	*to = der[:n]
	return nil
}

// packed removes what people put between hexadecimal digits.
func packed(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == ':' {
			return -1
		}
		return r
	}, s)
}
