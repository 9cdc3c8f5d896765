package reason

// Reasons about readers of smart cards, and about what is in them.
const (
	// ReaderServiceAbsent means that the PC/SC service of the system does not run.
	ReaderServiceAbsent Code = "reader-service-absent"
	// ReaderUnsupported means that this program cannot speak with the PC/SC service of
	// this system.
	ReaderUnsupported Code = "reader-unsupported"
	// ReaderAbsent means that there is no reader, or none of the given name.
	ReaderAbsent Code = "reader-absent"
	// CardBusy means that another program has the card to itself.
	CardBusy Code = "card-busy"
	// CardMute means that the card does not answer.
	CardMute Code = "card-mute"
	// CardUEC means that the card is a universal electronic card, which this program
	// cannot use by itself.
	CardUEC Code = "card-uec"
)

// readerEntries lists the reasons about readers.
func readerEntries() []Entry {
	return []Entry{
		{
			ReaderServiceAbsent, Unavailable,
			"Служба смарт-карт не работает, поэтому токенов не видно. В Linux установите и запустите pcscd (systemctl enable --now pcscd.socket), в Windows запустите службу «Смарт-карта».",
			"The smart-card service does not run, so no tokens can be seen; on Linux install and start pcscd (systemctl enable --now pcscd.socket), on Windows start the service Smart Card.",
			"",
		},
		{
			ReaderUnsupported, Unsupported,
			"На этой системе программа не умеет показывать считыватели. Пользуйтесь токеном через библиотеку его производителя.",
			"The program cannot show readers on this system; use the token through the library of its vendor.",
			"",
		},
		{
			ReaderAbsent, NotFound,
			"Считыватель не найден. Подключите токен или считыватель; если он подключён, установите его драйвер.",
			"There is no such reader; connect the token or the reader, or install its driver if it is connected.",
			"",
		},
		{
			CardBusy, Unavailable,
			"Токен занят другой программой. Дождитесь, пока она закончит, или закройте её и повторите.",
			"Another program uses the token; wait until it has finished, or close it, and try again.",
			"",
		},
		{
			CardMute, Unavailable,
			"Карта не отвечает. Проверьте, что она вставлена до конца и нужной стороной, и повторите.",
			"The card does not answer; check that it is inserted fully and the right way round, and try again.",
			"",
		},
		{
			CardUEC, Unsupported,
			"Это универсальная электронная карта (УЭК). Для неё нужна программа «КриптоПро УЭК CSP»; её сертификат работает через КриптоПро ЭЦП Browser plug-in.",
			"This is a universal electronic card (UEC) of Russia; it needs the program CryptoPro UEC CSP, and its certificate works through the CryptoPro browser plug-in.",
			"",
		},
	}
}
