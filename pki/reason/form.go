package reason

// Reasons about forms that people fill in on pages of the gateway.
const (
	// FormForeign means that another site sent a form.
	FormForeign Code = "form-from-elsewhere"
	// FormExpired means that a form does not have the token of the browser that sent it.
	FormExpired Code = "form-expired"
	// FormMalformed means that what was sent is not what the form of the page sends.
	FormMalformed Code = "form-malformed"
	// FormTooLarge means that a form or the files with it are too large.
	FormTooLarge Code = "form-too-large"
)

func formEntries() []Entry {
	return []Entry{
		{FormForeign, Policy, "Форму прислала страница другого сайта, поэтому она не принята. Закройте тот сайт и начните с нашей страницы.",
			"A page of another site sent the form, so it was not taken; close that site and begin on a page of this one.", ""},
		{FormExpired, Policy, "Форма устарела или в браузере выключены cookie, поэтому она не принята. Откройте страницу заново и заполните её ещё раз.",
			"The form is too old or cookies are switched off, so it was not taken; open the page anew and fill it in again.", ""},
		{FormMalformed, Malformed, "Присланы не те данные, которые отправляет страница. Откройте её заново и заполните ещё раз.",
			"What was sent is not what the page sends; open it anew and fill it in again.", ""},
		{FormTooLarge, TooLarge, "Форма или приложенные файлы слишком большие. Сократите текст или выберите файлы поменьше.",
			"The form or the files with it are too large; shorten the text or choose smaller files.", ""},
	}
}
