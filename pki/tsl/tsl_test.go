package tsl

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/samples"
	"propusk/pki/xmldsig"
)

// publisher signs lists.
type publisher struct {
	key  crypto.Signer
	cert *gostx509.Certificate
}

func newPublisher(t testing.TB) publisher {
	t.Helper()
	key, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return publisher{key, selfSigned(t, key, "Издатель перечня (тест)")}
}

func selfSigned(t testing.TB, key crypto.Signer, name string) *gostx509.Certificate {
	t.Helper()
	der, err := gostx509.Create(nil, gostx509.Template{
		Subject:   gostx509.Name{{Type: gostx509.OIDCommonName, Text: name}},
		NotBefore: time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:  time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA:      true, MaxPathLen: -1, KeyUsage: gostx509.KeyUsageCertSign,
	}, nil, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := gostx509.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// verified signs a list and reads it back.
func (p publisher) verified(t testing.TB, c *Content) *List {
	t.Helper()
	doc, err := Sign(c, p.key, p.cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Verify(doc, p.cert)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func day(year int, month time.Month, d int) time.Time {
	return fromMoscow(time.Date(year, month, d, 0, 0, 0, 0, time.UTC))
}

// sample is a list with one record in which everything is set.
func sample(cert *gostx509.Certificate) *Content {
	return &Content{
		Version: 16314,
		Date:    time.Date(2026, 7, 23, 9, 30, 0, 0, time.UTC),
		CAs: []*CA{{
			Name: `ООО "Выдуманный УЦ" & К°`, ShortName: "ВУЦ", Email: "uc@example.org",
			InfoURL: "http://uc.example.org/?a=1&b=2", RegistersURL: "http://uc.example.org/reg",
			Address: Address{Country: "RU", PostCode: "101000", Region: "77 г. Москва", City: "Москва", Street: "ул. Выдуманная, д. 1"},
			INN:     "7707083893", OGRN: "1027700132195", RegistryNumber: "17",
			Installations: []Installation{{
				Alias: "ПАК 1", Class: "КС2", Tools: "Выдуманное СКЗИ", Address: Address{City: "Москва"},
				Keys: []Key{{
					ID: cert.SubjectKeyID, CRLs: []string{"http://uc.example.org/1.crl", "http://reserve.example.org/1.crl"},
					Certificates: []Certificate{NewCertificate(cert)},
				}},
			}},
			Current:       StatusChange{InForce, day(2021, 7, 1)},
			History:       []StatusChange{{InForce, day(2016, 5, 2)}, {Terminated, day(2021, 6, 30)}, {InForce, day(2021, 7, 1)}},
			SuccessorOGRN: "1047702026701",
		}},
	}
}

func TestRoundTrip(t *testing.T) {
	p := newPublisher(t)
	want := sample(p.cert)
	doc, err := Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	u, err := Parse(doc)
	if err != nil {
		t.Fatal(err)
	}
	got := u.Content()
	if len(got.Problems) != 0 {
		t.Errorf("problems: %v", got.Problems)
	}
	again, err := Marshal(got)
	if err != nil || !bytes.Equal(again, doc) {
		t.Errorf("written again, it differs: %v\n%s\n%s", err, doc, again)
	}
	got.CAs[0].timeline = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got.CAs[0], want.CAs[0])
	}
	if c := got.CAs[0].Installations[0].Keys[0].Certificates[0]; c.Thumbprint != sha1.Sum(p.cert.Raw) {
		t.Error("the thumbprint is wrong")
	} else if parsed, err := c.Parse(); err != nil || !parsed.Equal(p.cert) {
		t.Errorf("%v", err)
	}
	if _, err := Marshal(&Content{Version: -1}); err == nil {
		t.Error("a negative version was written")
	}
}

// TestVerify: only a list that its publisher signed becomes a List.
func TestVerify(t *testing.T) {
	p, stranger := newPublisher(t), newPublisher(t)
	content := sample(p.cert)
	doc, err := Sign(content, p.key, p.cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Verify(doc, stranger.cert, p.cert)
	if err != nil {
		t.Fatal(err)
	}
	if l.Version() != 16314 || !l.Date().Equal(content.Date) || !l.Signer().Equal(p.cert) || len(l.Content().CAs) != 1 {
		t.Errorf("version %d of %v", l.Version(), l.Date())
	}
	unsigned, err := Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	forged := bytes.Replace(doc, []byte(Terminated), []byte(InForce), 1)
	for name, v := range map[string]struct {
		doc    []byte
		signer *gostx509.Certificate
		cause  reason.Code
	}{
		"stranger": {doc, stranger.cert, reason.XMLSignerUnknown},
		"unsigned": {unsigned, p.cert, reason.XMLNotSigned},
		"forged":   {forged, p.cert, reason.ContentChanged},
	} {
		l, err := Verify(v.doc, v.signer)
		if l != nil || reason.Of(err) != reason.TSLNotVerified || !strings.Contains(err.Error(), string(v.cause)) {
			t.Errorf("%s: %v, %v; want %s", name, l, err, v.cause)
		}
	}
	if l, err := Verify(doc); l != nil || reason.Of(err) != reason.TSLNotVerified {
		t.Errorf("nobody pinned: %v, %v", l, err)
	}
	if l, err := Verify([]byte("<a/>"), p.cert); l != nil || reason.Of(err) != reason.TSLMalformed {
		t.Errorf("not a list: %v, %v", l, err)
	}
	if _, ok := new(List).CAOf(p.cert); ok {
		t.Error("the zero List lists somebody")
	}
	if _, err := Sign(content, p.key, stranger.cert.Raw); err == nil {
		t.Error("signed with the certificate of somebody else")
	}
}

// TestSpoofedAfterParse: the document is verified, not what was read out of it
// before; a document that is changed in between gives no List.
func TestSpoofedAfterParse(t *testing.T) {
	p := newPublisher(t)
	doc, err := Sign(sample(p.cert), p.key, p.cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	u, err := Parse(doc)
	if err != nil {
		t.Fatal(err)
	}
	u.Content().CAs[0].OGRN = "0000000000000" // of what was shown, not of what counts
	l, err := u.VerifySignature(p.cert)
	if err != nil {
		t.Fatal(err)
	}
	if l.Content().CAs[0].OGRN != "1027700132195" {
		t.Error("a List says what the document does not")
	}
}

func TestCAOf(t *testing.T) {
	p := newPublisher(t)
	content := sample(p.cert)
	l := p.verified(t, content)
	ca, ok := l.CAOf(p.cert)
	if !ok || ca.OGRN != "1027700132195" {
		t.Fatalf("%v, %v", ca, ok)
	}
	twin := selfSigned(t, p.key, "Издатель перечня (тест)") // the same name and key
	if _, ok := l.CAOf(twin); ok {
		t.Error("another certificate of the same key is in the list")
	}
	if _, ok := l.CAOf(nil); ok {
		t.Error("nobody is in the list")
	}
	n := 0
	for ca, c := range l.Certificates() {
		n++
		if ca.OGRN != "1027700132195" || c.Thumbprint != sha1.Sum(p.cert.Raw) {
			t.Errorf("%v, %x", ca, c.Thumbprint)
		}
	}
	if n != 1 {
		t.Errorf("%d certificates", n)
	}
	for range l.Certificates() {
		break // must not go on
	}
}

// TestTwice: one certificate under several records: the organisation was
// accredited anew under another number.
func TestTwice(t *testing.T) {
	p := newPublisher(t)
	record := func(number string, history ...StatusChange) *CA {
		ca := *sample(p.cert).CAs[0]
		ca.RegistryNumber, ca.History, ca.Current = number, history, StatusChange{}
		// The same certificate twice within a record is nothing special.
		ca.Installations = append(ca.Installations, ca.Installations[0])
		return &ca
	}
	content := &Content{Version: 1, Date: day(2026, 1, 1), CAs: []*CA{
		record("1", StatusChange{InForce, day(2015, 1, 1)}, StatusChange{Terminated, day(2018, 1, 1)}),
		record("2", StatusChange{InForce, day(2020, 1, 1)}, StatusChange{Suspended, day(2022, 1, 1)}, StatusChange{InForce, day(2022, 2, 1)}),
		record("3", StatusChange{Annulled, day(2021, 1, 1)}),
	}}
	for range content.CAs {
		content.CAs = slices.Concat(content.CAs[1:], content.CAs[:1]) // in any order
		ca, ok := p.verified(t, content).CAOf(p.cert)
		if !ok || ca.RegistryNumber != content.CAs[0].RegistryNumber {
			t.Fatalf("%v, %v", ca, ok)
		}
		for _, v := range []struct {
			at   time.Time
			want string
		}{
			{day(2014, 12, 31), ""}, {day(2015, 1, 1), InForce}, {day(2017, 12, 31), InForce},
			{day(2018, 1, 1), Terminated}, {day(2019, 12, 31), Terminated}, {day(2020, 1, 1), InForce},
			{day(2021, 6, 1), InForce}, {day(2022, 1, 15), Suspended}, {day(2022, 2, 1), InForce}, {day(2030, 1, 1), InForce},
		} {
			if s := ca.Accredited(v.at); s.Value != v.want || s.InForce != (v.want == InForce) {
				t.Errorf("record %s first, %v: %+v, want %q", ca.RegistryNumber, v.at, s, v.want)
			}
		}
	}
}

// change writes a piece of a document.
func edit(t *testing.T, doc []byte, from, to string) []byte {
	t.Helper()
	if !bytes.Contains(doc, []byte(from)) {
		t.Fatalf("%q is not in the document", from)
	}
	return bytes.Replace(doc, []byte(from), []byte(to), 1)
}

func TestTolerated(t *testing.T) {
	p := newPublisher(t)
	doc, err := Marshal(sample(p.cert))
	if err != nil {
		t.Fatal(err)
	}
	want := p.verified(t, sample(p.cert)).Content().CAs[0]
	for name, changed := range map[string][]byte{
		"schema location":   edit(t, doc, "<"+rootName+">", "<"+rootName+` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="TSL.xsd">`),
		"unknown elements":  edit(t, doc, "<ИНН>", "<Новое><Версия>x</Версия>text</Новое><ИНН>"),
		"other namespace":   edit(t, doc, "<ИНН>", `<Название xmlns="urn:x">x</Название><ИНН>`),
		"comments":          edit(t, doc, "1027700132195", "10277<!-- x -->00132195"),
		"CDATA":             edit(t, doc, "<ОГРН>1027700132195", "<ОГРН><![CDATA[10277]]>00132195 "),
		"instructions":      edit(t, doc, "<ОГРН>", "<?x?><ОГРН><?y?>"),
		"base64 in lines":   edit(t, doc, "<Данные>MII", "<Данные>\r\n  M I\r\nI"),
		"thumbprint spaced": edit(t, doc, "<Отпечаток>", "<Отпечаток> "),
		"lower case":        []byte(strings.Replace(string(doc), fmt.Sprintf("%X", want.Installations[0].Keys[0].ID), fmt.Sprintf("%x", want.Installations[0].Keys[0].ID), 1)),
	} {
		u, err := Parse(changed)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := u.Content(); !reflect.DeepEqual(got.CAs[0], want) || len(got.Problems) != 0 {
			t.Errorf("%s: %+v, %v", name, got.CAs[0], got.Problems)
		}
	}
	// Parts of an address are for display, in whatever form they come.
	u, err := Parse(edit(t, doc, "<Регион>77 г. Москва</Регион>", "text <Регион><Код>77</Код>\n<Название>г. Москва</Название></Регион><Регион2/>"))
	if err != nil || u.Content().CAs[0].Address.Region != "77 г. Москва" {
		t.Errorf("%v, %+v", err, u)
	}
}

func TestRefused(t *testing.T) {
	p := newPublisher(t)
	doc, err := Marshal(sample(p.cert))
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]struct {
		doc  []byte
		want reason.Code
	}{
		"other root":        {edit(t, edit(t, doc, "<"+rootName, "<x"), "</"+rootName, "</x"), reason.TSLMalformed},
		"namespace":         {edit(t, doc, "<"+rootName, `<`+rootName+` xmlns="urn:x"`), reason.TSLMalformed},
		"namespace of root": {bytes.ReplaceAll(edit(t, doc, "<"+rootName, `<x:`+rootName+` xmlns:x="urn:x"`), []byte("</"+rootName), []byte("</x:"+rootName)), reason.TSLMalformed},
		"no version":        {edit(t, doc, "<Версия>16314</Версия>", ""), reason.TSLMalformed},
		"no date":           {edit(t, doc, "<Дата>2026-07-23T09:30:00Z</Дата>", ""), reason.TSLMalformed},
		"two versions":      {edit(t, doc, "<Версия>", "<Версия>1</Версия><Версия>"), reason.TSLMalformed},
		"version of words":  {edit(t, doc, "16314", "шестнадцать"), reason.TSLMalformed},
		"version negative":  {edit(t, doc, "16314", "-1"), reason.TSLMalformed},
		"version huge":      {edit(t, doc, "16314", "99999999999999999999"), reason.TSLMalformed},
		"date of words":     {edit(t, doc, "2026-07-23T09:30:00Z", "вчера"), reason.TSLMalformed},
		"text in list":      {edit(t, doc, "<Версия>", "text<Версия>"), reason.TSLMalformed},
		"text in record":    {edit(t, doc, "<ИНН>", "text<ИНН>"), reason.TSLMalformed},
		"element in ОГРН":   {edit(t, doc, "<ОГРН>", "<ОГРН><x/>"), reason.TSLMalformed},
		"two ОГРН":          {edit(t, doc, "<ОГРН>", "<ОГРН>1</ОГРН><ОГРН>"), reason.TSLMalformed},
		"two current":       {edit(t, doc, "<СтатусАккредитации>", "<СтатусАккредитации/><СтатусАккредитации>"), reason.TSLMalformed},
		"two histories":     {edit(t, doc, "<ИсторияСтатусовАккредитации>", "<ИсторияСтатусовАккредитации/><ИсторияСтатусовАккредитации>"), reason.TSLMalformed},
		"two statuses":      {edit(t, doc, "<Статус>", "<Статус>Действует</Статус><Статус>"), reason.TSLMalformed},
		"two dates":         {edit(t, doc, "<ДействуетС>", "<ДействуетС>2010-01-01</ДействуетС><ДействуетС>"), reason.TSLMalformed},
		"two thumbprints":   {edit(t, doc, "<Отпечаток>", "<Отпечаток/><Отпечаток>"), reason.TSLMalformed},
		"two keys' ids":     {edit(t, doc, "<ИдентификаторКлюча>", "<ИдентификаторКлюча/><ИдентификаторКлюча>"), reason.TSLMalformed},
		"two aliases":       {edit(t, doc, "<Псевдоним>", "<Псевдоним/><Псевдоним>"), reason.TSLMalformed},
		"torn":              {doc[:len(doc)/2], reason.XMLMalformed},
		"DTD":               {edit(t, doc, "<"+rootName, "<!DOCTYPE x><"+rootName), reason.XMLUnsupported},
		"windows-1251":      {edit(t, doc, "UTF-8", "windows-1251"), reason.XMLUnsupported},
		"long text":         {edit(t, doc, "<ОГРН>", "<ОГРН>"+strings.Repeat("1", maxText+1)), reason.XMLTooLarge},
		"long address":      {edit(t, doc, "<Город>", "<Город>"+strings.Repeat("1", maxText+1)), reason.XMLTooLarge},
		"many keys":         {edit(t, doc, "<Ключ>", strings.Repeat("<Ключ/>", maxRecords+1)+"<Ключ>"), reason.XMLTooLarge},
		"many records":      {edit(t, doc, "<УдостоверяющийЦентр>", strings.Repeat("<УдостоверяющийЦентр/>", maxRecords+1)+"<УдостоверяющийЦентр>"), reason.XMLTooLarge},
		"nothing":           {nil, reason.XMLMalformed},
	} {
		u, err := Parse(v.doc)
		if u != nil || reason.Of(err) != v.want {
			t.Errorf("%s: %v, want %q", name, err, v.want)
		}
	}
}

// TestThumbprintCollision: a certificate with the SHA-1 of one in the list is not
// in the list.
func TestThumbprintCollision(t *testing.T) {
	p, other := newPublisher(t), newPublisher(t)
	c := sample(other.cert)
	c.CAs[0].Installations[0].Keys[0].Certificates[0].Thumbprint = sha1.Sum(p.cert.Raw)
	l := newList(*c, p.cert)
	if ca, ok := l.CAOf(p.cert); ok || ca != nil {
		t.Error("found by its thumbprint alone")
	}
	l.add(&CA{}, &Certificate{DER: p.cert.Raw, Thumbprint: sha1.Sum(p.cert.Raw)})
	if e := l.entry(&Certificate{DER: p.cert.Raw, Thumbprint: sha1.Sum(p.cert.Raw)}); e == nil || e.owners[0] == c.CAs[0] {
		t.Error("taken for the one with the same thumbprint")
	}
}

// TestNothingListed: the thumbprint of nothing is that of nothing. Such entries
// name no certificate, however often they stand there.
func TestNothingListed(t *testing.T) {
	p := newPublisher(t)
	content := sample(p.cert)
	nothing := Certificate{Thumbprint: sha1.Sum(nil)}
	key := &content.CAs[0].Installations[0].Keys[0]
	key.Certificates = append(key.Certificates, nothing, nothing)
	l := p.verified(t, content)
	if got := l.Content(); len(got.CAs[0].Installations[0].Keys[0].Certificates) != 1 || len(got.Problems) != 2 {
		t.Errorf("%d problems", len(got.Problems))
	}
	if _, ok := l.CAOf(p.cert); !ok {
		t.Error("the certificate beside them is not listed")
	}
}

// TestManyRecords: a certificate in thousands of records is no reason to think for
// minutes.
func TestManyRecords(t *testing.T) {
	p := newPublisher(t)
	content := sample(p.cert)
	for i := range 1000 {
		ca := *content.CAs[0]
		ca.History = []StatusChange{{InForce, day(2016, 1, 1).AddDate(0, 0, 2*i)}, {Terminated, day(2016, 1, 2).AddDate(0, 0, 2*i)}}
		ca.Current = StatusChange{}
		content.CAs = append(content.CAs, &ca)
	}
	begin := time.Now()
	l := p.verified(t, content)
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if ca, ok := l.CAOf(p.cert); !ok || !ca.Accredited(day(2020, 1, 1)).InForce {
		t.Error("not in force on a day of one of the records")
	}
}

// TestProblems: contradictions do not spoil the list, and are never in force.
func TestProblems(t *testing.T) {
	p := newPublisher(t)
	doc, err := Marshal(sample(p.cert))
	if err != nil {
		t.Fatal(err)
	}
	at := day(2023, 1, 1)
	for name, v := range map[string]struct {
		doc    []byte
		what   string
		listed bool // the certificate still is
		force  bool // the record still is
	}{
		"thumbprint of another": {edit(t, doc, "<Отпечаток>", "<Отпечаток>00"), "thumbprint", false, true},
		"no thumbprint":         {edit(t, doc, fmt.Sprintf("<Отпечаток>%X</Отпечаток>", sha1.Sum(p.cert.Raw)), ""), "thumbprint", false, true},
		"data are not base64":   {edit(t, doc, "<Данные>", "<Данные>*"), "thumbprint", false, true},
		"key id of words":       {edit(t, doc, "<ИдентификаторКлюча>", "<ИдентификаторКлюча>ключ"), "key identifier", true, true},
		"status unknown":        {edit(t, doc, "<Статус>Прекращена</Статус>", "<Статус>Спит</Статус>"), "unknown status Спит", true, true},
		"status unknown now":    {bytes.ReplaceAll(doc, []byte("<Статус>Действует</Статус>"), []byte("<Статус>действует</Статус>")), "unknown status", true, false},
		"status without date":   {edit(t, doc, "<ДействуетС>2016-05-01T21:00:00Z</ДействуетС>", ""), "no readable date", true, false},
		"status, date of words": {edit(t, doc, "2021-06-29T21:00:00Z", "давно"), "no readable date", true, false},
	} {
		u, err := Parse(v.doc)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c := u.Content()
		if len(c.Problems) == 0 || c.Problems[0].CA != c.CAs[0].Name || !strings.Contains(c.Problems[0].What, v.what) {
			t.Errorf("%s: problems %v", name, c.Problems)
		}
		if n := len(c.CAs[0].Installations[0].Keys[0].Certificates); (n == 1) != v.listed {
			t.Errorf("%s: %d certificates", name, n)
		}
		if s := c.CAs[0].Accredited(at); s.InForce != v.force {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// synthetic makes a list of the real CA certificates: the organisations, keys and
// certificates are real, the statuses are invented.
func synthetic(t testing.TB) (*Content, []*gostx509.Certificate) {
	t.Helper()
	names, err := filepath.Glob(samples.Path(t, "data", "ca_certs/accredited/*.der"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no certificates: %v", err)
	}
	content := &Content{Version: 16314, Date: day(2026, 7, 23)}
	records := make(map[string]*CA)
	r := rand.New(rand.NewPCG(1, 1))
	var certs []*gostx509.Certificate
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := gostx509.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, c)
		ogrn := c.Subject.Get(gostx509.OIDOGRN)
		ca := records[ogrn]
		if ca == nil {
			ca = invented(r, c, len(records))
			records[ogrn] = ca
			content.CAs = append(content.CAs, ca)
		}
		ca.Installations[0].Keys = append(ca.Installations[0].Keys, Key{
			ID: c.SubjectKeyID, CRLs: c.CRLDistributionPoints, Certificates: []Certificate{NewCertificate(c)},
		})
	}
	return content, certs
}

// invented is a record with a status that nobody gave it.
func invented(r *rand.Rand, c *gostx509.Certificate, number int) *CA {
	ca := &CA{
		Name: c.Subject.Get(gostx509.OIDCommonName), OGRN: c.Subject.Get(gostx509.OIDOGRN),
		RegistryNumber: fmt.Sprint(number + 1), Email: c.Subject.Get(gostx509.OIDEmail),
		Installations: []Installation{{Alias: "ПАК (синтетический)", Class: "КС2"}},
	}
	since := day(2012, 9, 1).AddDate(0, r.IntN(60), 0)
	ca.History = append(ca.History, StatusChange{InForce, since})
	if r.IntN(3) > 0 {
		ca.History = append(ca.History, StatusChange{[]string{Terminated, Annulled, Suspended}[r.IntN(3)], since.AddDate(1, r.IntN(60), 0)})
	}
	ca.Current = ca.History[len(ca.History)-1]
	return ca
}

// TestRealCertificates makes and verifies a list of all real CA certificates.
func TestRealCertificates(t *testing.T) {
	content, certs := synthetic(t)
	p := newPublisher(t)
	l := p.verified(t, content)
	if len(l.Content().Problems) != 0 || len(l.Content().CAs) != len(content.CAs) {
		t.Errorf("%d records of %d, problems %v", len(l.Content().CAs), len(content.CAs), l.Content().Problems)
	}
	force := 0
	for _, c := range certs {
		ca, ok := l.CAOf(c)
		if !ok || ca.OGRN != c.Subject.Get(gostx509.OIDOGRN) {
			t.Fatalf("%x: %v, %v", sha1.Sum(c.Raw), ca, ok)
		}
		if ca.Accredited(c.NotBefore).InForce {
			force++
		}
	}
	if force == 0 || force == len(certs) {
		t.Errorf("%d of %d in force: the statuses are no test", force, len(certs))
	}
}

// TestETSI: the predecessor of the list had another format.
func TestETSI(t *testing.T) {
	doc, err := os.ReadFile(samples.Path(t, "data", "tsl/ogic-2011-etsi-tsl.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(doc); reason.Of(err) != reason.TSLMalformed {
		t.Errorf("%v", err)
	}
	if err := xmldsig.Canonicalize(&bytes.Buffer{}, doc, xmldsig.C14N); err != nil {
		t.Errorf("it is good XML all the same: %v", err)
	}
}

var update = flag.Bool("update", false, "write testdata anew")

// TestUpdate makes the seeds of FuzzParse: invented lists, one of them signed.
func TestUpdate(t *testing.T) {
	if !*update {
		t.Skip("without -update the seeds stay")
	}
	p := newPublisher(t)
	signed, err := Sign(sample(p.cert), p.key, p.cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	small, err := Marshal(&Content{Version: 1, Date: day(2026, 1, 1), CAs: []*CA{{OGRN: "1", History: []StatusChange{{"Спит", day(2014, 10, 26)}}}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, doc := range map[string][]byte{"signed": signed, "small": small} {
		if err := os.WriteFile("testdata/"+name+".xml", doc, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzParse: what is read can be written and read again, and says the same.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"signed", "small"} {
		doc, err := os.ReadFile("testdata/" + name + ".xml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		u, err := Parse(doc)
		if err != nil {
			if u != nil || reason.Of(err) == reason.InternalError {
				t.Fatalf("%v, %v", u, err)
			}
			return
		}
		for _, ca := range u.Content().CAs {
			for _, s := range ca.timeline {
				at := s.from.start()
				if got := ca.Accredited(at); got.Value != s.value || got.InForce != (s.value == InForce) || !ca.Accredited(at.Add(-1)).Until.Equal(at) {
					t.Fatalf("%+v at %v", got, at)
				}
			}
		}
		if _, err := u.VerifySignature(); err == nil {
			t.Fatal("verified without a signer")
		}
		again, err := Marshal(u.Content())
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(again)
		if err != nil {
			t.Fatalf("%v\n%s", err, again)
		}
		for i, ca := range u.Content().CAs {
			if got := back.Content().CAs[i]; !ca.statusUnreadable && !reflect.DeepEqual(got.timeline, ca.timeline) {
				t.Fatalf("%+v, then %+v", ca.timeline, got.timeline)
			}
		}
	})
}

// big is a list of 25 MB with 6,000 certificates, and who signed it.
func big(b testing.TB) ([]byte, publisher) {
	b.Helper()
	content := &Content{Version: 1, Date: day(2026, 7, 23)}
	r := rand.New(rand.NewPCG(1, 1))
	p := newPublisher(b)
	for n := range 500 {
		ca := invented(r, p.cert, n)
		for range 12 {
			der := make([]byte, 2500)
			for i := range der {
				der[i] = byte(r.Uint32())
			}
			c := NewCertificate(p.cert)
			c.DER, c.Thumbprint = der, sha1.Sum(der)
			ca.Installations[0].Keys = append(ca.Installations[0].Keys, Key{ID: der[:20], CRLs: []string{"http://uc.example.org/1.crl"}, Certificates: []Certificate{c}})
		}
		content.CAs = append(content.CAs, ca)
	}
	doc, err := Sign(content, p.key, p.cert.Raw)
	if err != nil {
		b.Fatal(err)
	}
	return doc, p
}

func Benchmark25MB(b *testing.B) {
	doc, p := big(b)
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Parse(doc); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("verify", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Verify(doc, p.cert); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestProblemsAreBounded: what is told about a list is not longer than the list. Here
// it would be 12 GB of 6 MB.
func TestProblemsAreBounded(t *testing.T) {
	value := strings.Repeat("Ы", maxText/2)
	change := func(value, since string) string {
		return "<СтатусАккредитации><Статус>" + value + "</Статус><ДействуетС>" + since + "</ДействуетС></СтатусАккредитации>"
	}
	var distinct strings.Builder
	for i := range 1000 {
		fmt.Fprint(&distinct, change(fmt.Sprint("Статус ", i), "2021-01-01"))
	}
	doc := "<" + rootName + "><Версия>1</Версия><Дата>2026-01-01</Дата><УдостоверяющийЦентр><Название>УЦ</Название>" + change(value, "2020-01-01") +
		"<ИсторияСтатусовАккредитации>" + strings.Repeat(change(InForce, "2020-01-02"), 50_000) + distinct.String() +
		"</ИсторияСтатусовАккредитации></УдостоверяющийЦентр></" + rootName + ">"
	list, err := Parse([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	problems := list.Content().Problems
	if len(problems) != maxOddities {
		t.Errorf("%d problems", len(problems))
	}
	for _, p := range problems {
		if len(p.What) > 400 {
			t.Errorf("%d bytes: %.100q", len(p.What), p.What)
		}
	}
	if list.Content().CAs[0].Accredited(time.Now()).InForce {
		t.Error("in force")
	}
}
