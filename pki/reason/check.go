package reason

// Reasons of the environment check page.
const (
	// CheckRunUnknown means that there is no such run of the check, or no more.
	CheckRunUnknown Code = "check-run-unknown"
	// CheckOtherBrowser means that another browser began the run.
	CheckOtherBrowser Code = "check-other-browser"
	// CheckReportMalformed means that what the script of the page reports cannot be read.
	CheckReportMalformed Code = "check-report-malformed"
	// CheckFileUnknown means that no CA of the trust data has such a certificate.
	CheckFileUnknown Code = "check-file-unknown"
)

func checkEntries() []Entry {
	return []Entry{
		{CheckRunUnknown, NotFound, "Этой проверки уже нет: она хранится час. Начните проверку заново.",
			"This check is no more, since it is kept for an hour; start it again.", ""},
		{CheckOtherBrowser, Policy, "Эту проверку начал другой браузер. Начните свою проверку.",
			"Another browser began this check; start one of your own.", ""},
		{CheckReportMalformed, Malformed, "Страница прислала сведения, которые не удалось прочитать. Обновите страницу и начните проверку заново.",
			"What the page sent cannot be read; reload the page and start the check again.", ""},
		{CheckFileUnknown, NotFound, "Такого сертификата удостоверяющего центра нет. Вернитесь к шагу 5 проверки и скачайте файлы оттуда.",
			"There is no such certificate of an authority; go back to step 5 of the check and take the files from there.", ""},
	}
}
