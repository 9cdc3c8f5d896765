package profile

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/server/account"
	"propusk/server/journal"
	"propusk/server/page"
	"propusk/server/request"
)

const (
	// journalPage is how many events are on a page.
	journalPage = 50
	// maxDownload is how many events a file has at most.
	maxDownload = 100_000
	// downloadStep is how many are read at a time.
	downloadStep = 1000
)

// event is a record of the journal, for people.
type event struct {
	Number               uint64
	At                   time.Time
	What, Result         page.Text
	Good                 bool
	Service, Address     string
	Device, Certificate  string
	Document, Digest     string
	Support, Fingerprint string
}

// journalPageData is what the page of the journal sees.
type journalPageData struct {
	Events []event
	// Older is where the next page begins; 0 is the end.
	Older uint64
	// Newer is whether this is not the first page.
	Newer bool
	// Off is whether there is no journal.
	Off bool
}

// people are the identities under which the journal knows a person: a pseudonym rests on the
// kind of holder too.
func people(acc account.Account) []person.Identity {
	all := []person.Identity{acc.Identity}
	for _, t := range acc.Taxpayers {
		who := acc.Identity
		who.Kind, who.OGRN, who.OGRNIP, who.INNLE = t.Kind, t.OGRN, t.OGRNIP, t.INNLE
		all = append(all, who)
	}
	return all
}

// journal shows the events of a person, the newest first (GU-05, GU-06).
func (p *Profile) journal(c call) {
	before, err := strconv.ParseUint(c.r.URL.Query().Get("before"), 10, 63)
	if err != nil && c.r.URL.Query().Has("before") {
		p.fail(c.w, c.r, reason.PageNotFound)
		return
	}
	data := journalPageData{Newer: before > 0}
	records, err := p.opts.Histories.Of(c.r.Context(), people(c.acc), before, journalPage+1)
	switch {
	case errors.Is(err, journal.ErrClosed):
		data.Off = true
	case err != nil:
		p.fail(c.w, c.r, err)
		return
	}
	if len(records) > journalPage {
		records = records[:journalPage]
		data.Older = records[journalPage-1].Number
	}
	for _, r := range records {
		e := eventOf(r)
		e.Device = deviceName(e.Device)
		data.Events = append(data.Events, e)
	}
	p.show(c, "journal", page.View{
		Title: page.Text{RU: "Журнал", EN: "Journal"},
		Lead: page.Text{
			RU: "Входы, подписи и изменения учётной записи. Если вы чего-то не делали, завершите сеансы, смените пароль или заблокируйте учётную запись.",
			EN: "Sign-ins, signatures and changes of the account. If something is not yours, end the visits, change the password or block the account.",
		},
		Data: data,
	})
}

// eventOf tells a record to its person.
func eventOf(r journal.Record) event {
	e := event{
		Number: r.Number, At: r.At, What: what(r), Good: r.Reason == "", Service: r.Client, Address: r.Address.Reveal(),
		Device: r.Device.Reveal(), Document: r.Document.Reveal(), Digest: r.Digest, Support: r.Support,
	}
	if r.Certificate != ([32]byte{}) {
		e.Fingerprint = hex.EncodeToString(r.Certificate[:])
		e.Certificate = e.Fingerprint[:16]
	}
	switch {
	case r.Kind == journal.Account && r.Action != "key-refused": // the reason, if any, is that of the new state
		e.Good, e.Result = true, page.Text{RU: "Выполнено", EN: "Done"}
	case r.Reason != "":
		e.Result = page.Text{RU: string(r.Reason), EN: string(r.Reason)}
		if known, ok := reason.Lookup(r.Reason); ok {
			e.Result = page.Text{RU: known.RU, EN: known.EN}
		}
	case r.Conclusion == "" || r.Conclusion == report.TotalPassed:
		e.Result = page.Text{RU: "Выполнено", EN: "Done"}
	default:
		e.Good = false
		e.Result = page.Text{RU: "Не выполнено", EN: "Not done"}
	}
	return e
}

// what is what happened, in words. An action that nobody has given words to is told by its
// name.
func what(r journal.Record) page.Text {
	if r.Kind == journal.Signature {
		return page.Text{RU: "Подпись документа", EN: "Signature of a document"}
	}
	if t, ok := actions()[r.Action]; ok {
		return t
	}
	return page.Text{RU: r.Action, EN: r.Action}
}

// actions are the words for what packages note about accounts.
func actions() map[string]page.Text {
	return map[string]page.Text{
		"gost-tls":             {RU: "Вход с ключом (ГОСТ TLS)", EN: "Sign-in with a key (GOST TLS)"},
		"challenge":            {RU: "Вход с ключом (программа подписи или плагин)", EN: "Sign-in with a key (agent or plug-in)"},
		"password":             {RU: "Вход по паролю", EN: "Sign-in by password"},
		"registered":           {RU: "Регистрация, соглашение подписано", EN: "Registration, the agreement was signed"},
		"registration-expired": {RU: "Регистрация не была завершена вовремя", EN: "The registration was not finished in time"},
		"activated":            {RU: "Учётная запись активирована", EN: "The account was activated"},
		"check-approved":       {RU: "Данные подтверждены сотрудником", EN: "A person has approved the data"},
		"check-rejected":       {RU: "В регистрации отказано", EN: "The registration was refused"},
		"card-issued":          {RU: "Выдана регистрационная карта", EN: "A registration card was issued"},
		"account-blocked":      {RU: "Учётная запись заблокирована", EN: "The account was blocked"},
		"account-unblocked":    {RU: "Учётная запись разблокирована", EN: "The account was unblocked"},
		"account-closed":       {RU: "Учётная запись закрыта", EN: "The account was closed"},
		"account-forgotten":    {RU: "Сведения об учётной записи уничтожены", EN: "What was kept about the account was destroyed"},
		"account-opened":       {RU: "Учётная запись снова открыта входом с ключом", EN: "The account was opened again by a key"},
		"blocked":              {RU: "Вы заблокировали учётную запись", EN: "You have blocked the account"},
		"key-bound":            {RU: "Сертификат привязан к учётной записи", EN: "A certificate was bound to the account"},
		"key-refused":          {RU: "Сертификат не принят", EN: "A certificate was refused"},
		"key-removed":          {RU: "Сертификат удалён из учётной записи", EN: "A certificate was taken out of the account"},
		"key-restored":         {RU: "Сертификат возвращён в учётную запись", EN: "A certificate was put back into the account"},
		"key-compromised":      {RU: "Ключ отмечен как скомпрометированный", EN: "A key was given up"},
		"visits-ended":         {RU: "Сеансы завершены", EN: "Visits were ended"},
		"email-asked":          {RU: "Запрошена смена адреса", EN: "Another address was asked for"},
		"email-changed":        {RU: "Адрес электронной почты изменён", EN: "The address of e-mail was changed"},
		"second-on":            {RU: "Приложение с кодами подключено", EN: "An application with codes was added"},
		"second-off":           {RU: "Приложение с кодами отключено", EN: "The application with codes was removed"},
		"recovery-new":         {RU: "Выданы новые резервные коды", EN: "New recovery codes were given out"},
		"recovery-asked":       {RU: "Запрошено восстановление доступа", EN: "Recovery was asked for"},
		"email-code-on":        {RU: "Включены коды по почте", EN: "Codes by e-mail were switched on"},
		"email-code-off":       {RU: "Выключены коды по почте", EN: "Codes by e-mail were switched off"},
		"password-changed":     {RU: "Пароль изменён", EN: "The password was changed"},
		"code-word":            {RU: "Кодовое слово изменено", EN: "The code word was changed"},
		"taxpayer":             {RU: "Выбран другой налогоплательщик", EN: "Another taxpayer was chosen"},
	}
}

// each reads all events of a person, the newest first, and hands them on.
func (p *Profile) each(ctx context.Context, acc account.Account, f func(journal.Record) error) error {
	before := uint64(0)
	for read := 0; read < maxDownload; {
		records, err := p.opts.Histories.Of(ctx, people(acc), before, downloadStep)
		if err != nil || len(records) == 0 {
			return err
		}
		for _, r := range records {
			if err := f(r); err != nil {
				return err
			}
		}
		read += len(records)
		before = records[len(records)-1].Number
		if before <= 1 {
			return nil
		}
	}
	return nil
}

// journalCSV is the journal as a table: UTF-8 with a mark, semicolons, as office programs of
// the country expect it.
func (p *Profile) journalCSV(c call) {
	if _, err := p.opts.Histories.Of(c.r.Context(), people(c.acc), 0, 1); err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	download(c, "text/csv; charset=utf-8", "journal.csv")
	c.w.Write([]byte("\ufeff")) //nolint:errcheck // as below
	w := csv.NewWriter(c.w)
	w.Comma = ';'
	lang := page.Language(c.r)
	w.Write(columns(lang)) //nolint:errcheck // the client went away; Flush ends it
	err := p.each(c.r.Context(), c.acc, func(r journal.Record) error {
		e := eventOf(r)
		row := []string{
			strconv.FormatUint(e.Number, 10), page.Time(e.At), e.What.In(lang), e.Result.In(lang), e.Service, e.Address, e.Device,
			e.Fingerprint, e.Document, e.Digest, e.Support, hex.EncodeToString(r.Hash[:]),
		}
		for i := range row {
			row[i] = harmless(row[i])
		}
		return w.Write(row)
	})
	w.Flush()
	cut(c, errors.Join(err, w.Error()))
}

// columns are the names of the columns.
func columns(lang string) []string {
	if lang == page.English {
		return []string{"Number", "Time", "Event", "Result", "Service", "Address", "Device", "Certificate (SHA-256)", "Document", "Digest", "Support code", "Hash of the record"}
	}
	return []string{"Номер", "Время", "Событие", "Результат", "Сервис", "Адрес", "Устройство", "Сертификат (SHA-256)", "Документ", "Хэш документа", "Код обращения", "Хэш записи"}
}

// formula is where an office program begins a formula: at the beginning of a text, and behind
// what it may take for the end of a column, whatever separator the table has.
var formula = regexp.MustCompile(`(^|[,;|\t\r\n])(\s*[=+\-@＝＋－＠]|[\t\r\n])`)

// harmless returns a text that office programs do not take for a formula. The parts of it that
// are somebody else's are what a browser calls itself and the names of documents.
func harmless(s string) string { return formula.ReplaceAllString(s, "$1'$2") }

// journalJSON is the journal as it is, an array of records: with their hashes, which stand in
// the chain of the whole journal.
func (p *Profile) journalJSON(c call) {
	if _, err := p.opts.Histories.Of(c.r.Context(), people(c.acc), 0, 1); err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	download(c, "application/json", "journal.json")
	w := bufio.NewWriter(c.w)
	separator := "["
	err := p.each(c.r.Context(), c.acc, func(r journal.Record) error {
		w.WriteString(separator) //nolint:errcheck // Flush tells
		separator = ",\n"
		_, err := w.Write(r.Line())
		return err
	})
	if separator == "[" {
		w.WriteString(separator) //nolint:errcheck // Flush tells
	}
	w.WriteString("]\n") //nolint:errcheck // Flush tells
	cut(c, errors.Join(err, w.Flush()))
}

// cut notes that a file that was begun is not whole, and breaks the connection: half a journal
// must not pass for one.
func cut(c call, err error) {
	if err == nil {
		return
	}
	request.From(c.r.Context()).Err = err
	panic(http.ErrAbortHandler)
}
