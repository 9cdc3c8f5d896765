package tsl

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// schema is a list with every element of the format, as e-trust.gosuslugi.ru writes
// it, by hand: what stands for %s is a certificate, its thumbprint and its key.
const schema = `<?xml version="1.0" encoding="utf-8"?>
<АккредитованныеУдостоверяющиеЦентры xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="TSL.xsd">
  <Версия>16314</Версия>
  <Дата>2026-07-23T12:34:56.789+03:00</Дата>
  <УдостоверяющийЦентр>
    <Название>Общество «Выдуманный центр»</Название>
    <ЭлектроннаяПочта>uc@example.invalid</ЭлектроннаяПочта>
    <КраткоеНазвание>ВЦ</КраткоеНазвание>
    <АдресСИнформациейПоУЦ>http://uc.example.invalid/</АдресСИнформациейПоУЦ>
    <АдресСИнформациейПоРеестрамСертификатов>http://uc.example.invalid/reg</АдресСИнформациейПоРеестрамСертификатов>
    <Адрес><Страна>RU</Страна><Индекс>101000</Индекс><УлицаДом>ул. Мнимая, 1</УлицаДом><Город>Москва</Город><Регион><Код>77</Код><Название>Москва</Название></Регион></Адрес>
    <ПрограммноАппаратныеКомплексы>
      <ПрограммноАппаратныйКомплекс>
        <Псевдоним>ПАК 1</Псевдоним>
        <КлассСредствЭП>КС3</КлассСредствЭП>
        <Адрес><Страна>RU</Страна><Индекс>190000</Индекс><УлицаДом>пр. Мнимый, 2</УлицаДом><Город>Санкт-Петербург</Город></Адрес>
        <СредстваУЦ>Мнимое СКЗИ 5.0</СредстваУЦ>
        <КлючиУполномоченныхЛиц>
          <Ключ>
            <ИдентификаторКлюча>%[3]s</ИдентификаторКлюча>
            <АдресаСписковОтзыва><Адрес>http://uc.example.invalid/1.crl</Адрес><Адрес>http://reserve.example.invalid/1.crl</Адрес></АдресаСписковОтзыва>
            <Сертификаты>
              <ДанныеСертификата>
                <Отпечаток>%[2]s</Отпечаток>
                <КемВыдан>CN=Головной</КемВыдан>
                <КомуВыдан>CN=Выдуманный</КомуВыдан>
                <СерийныйНомер>01AB</СерийныйНомер>
                <ПериодДействияС>2015-01-01T00:00:00Z</ПериодДействияС>
                <ПериодДействияДо>2036-01-01T00:00:00+03:00</ПериодДействияДо>
                <Данные>
%[1]s
</Данные>
              </ДанныеСертификата>
            </Сертификаты>
          </Ключ>
          <Ключ><ИдентификаторКлюча>0102</ИдентификаторКлюча><АдресаСписковОтзыва/><Сертификаты/></Ключ>
        </КлючиУполномоченныхЛиц>
      </ПрограммноАппаратныйКомплекс>
      <ПрограммноАппаратныйКомплекс><Псевдоним>ПАК 2</Псевдоним><КлючиУполномоченныхЛиц/></ПрограммноАппаратныйКомплекс>
    </ПрограммноАппаратныеКомплексы>
    <ИНН>7707083893</ИНН>
    <ОГРН>1027700132195</ОГРН>
    <РеестровыйНомер>17</РеестровыйНомер>
    <СтатусАккредитации><Статус>Прекращена</Статус><ДействуетС>2026-02-03T00:00:00+03:00</ДействуетС></СтатусАккредитации>
    <ИсторияСтатусовАккредитации>
      <СтатусАккредитации><Статус>Прекращена</Статус><ДействуетС>2026-02-03T00:00:00+03:00</ДействуетС></СтатусАккредитации>
      <СтатусАккредитации><Статус>Действует</Статус><ДействуетС>2021-07-01</ДействуетС></СтатусАккредитации>
    </ИсторияСтатусовАккредитации>
    <ПолномочияПереданыУЦсОГРН>1047702026701</ПолномочияПереданыУЦсОГРН>
  </УдостоверяющийЦентр>
</АккредитованныеУдостоверяющиеЦентры>
`

// TestSchema reads every element of the format.
func TestSchema(t *testing.T) {
	cert := newPublisher(t).cert
	one := NewCertificate(cert)
	encoded := base64.StdEncoding.EncodeToString(one.DER)
	var lines []string
	for part := range slices.Chunk([]byte(encoded), 64) {
		lines = append(lines, string(part))
	}
	doc := fmt.Sprintf(schema, strings.Join(lines, "\n"), hex.EncodeToString(one.Thumbprint[:]), strings.ToUpper(hex.EncodeToString(cert.SubjectKeyID)))
	u, err := Parse([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	one.Issuer, one.Subject, one.Serial = "CN=Головной", "CN=Выдуманный", "01AB"
	one.NotBefore, one.NotAfter = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2035, 12, 31, 21, 0, 0, 0, time.UTC)
	ended := StatusChange{Terminated, day(2026, 2, 3)}
	want := &CA{
		Name: "Общество «Выдуманный центр»", ShortName: "ВЦ", Email: "uc@example.invalid",
		InfoURL: "http://uc.example.invalid/", RegistersURL: "http://uc.example.invalid/reg",
		Address: Address{Country: "RU", PostCode: "101000", Region: "77 Москва", City: "Москва", Street: "ул. Мнимая, 1"},
		INN:     "7707083893", OGRN: "1027700132195", RegistryNumber: "17",
		Installations: []Installation{{
			Alias: "ПАК 1", Class: "КС3", Tools: "Мнимое СКЗИ 5.0",
			Address: Address{Country: "RU", PostCode: "190000", City: "Санкт-Петербург", Street: "пр. Мнимый, 2"},
			Keys: []Key{
				{ID: cert.SubjectKeyID, CRLs: []string{"http://uc.example.invalid/1.crl", "http://reserve.example.invalid/1.crl"}, Certificates: []Certificate{one}},
				{ID: []byte{1, 2}},
			},
		}, {Alias: "ПАК 2"}},
		Current: ended, History: []StatusChange{ended, {InForce, day(2021, 7, 1)}},
		SuccessorOGRN: "1047702026701",
	}
	want.buildTimeline()
	c := u.Content()
	if c.Version != 16314 || !c.Date.Equal(time.Date(2026, 7, 23, 9, 34, 56, 789_000_000, time.UTC)) || len(c.Problems) != 0 || len(c.CAs) != 1 {
		t.Fatalf("version %d of %s, %d records, problems %v", c.Version, c.Date, len(c.CAs), c.Problems)
	}
	if !reflect.DeepEqual(c.CAs[0], want) {
		t.Errorf("%+v, want %+v", c.CAs[0], want)
	}
	var addresses []string
	for key := range c.CAs[0].Keys() {
		addresses = append(addresses, key.CRLs...)
	}
	if !slices.Equal(addresses, want.Installations[0].Keys[0].CRLs) {
		t.Errorf("%q", addresses)
	}
	for range c.CAs[0].Keys() { // a loop may end early
		break
	}
}
