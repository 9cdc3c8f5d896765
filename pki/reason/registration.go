package reason

// Reasons about opening an account by a certificate.
const (
	// CaptchaWrong means that the answer to the question for people is another one.
	CaptchaWrong Code = "captcha-wrong"
	// CaptchaExpired means that the question is too old, or was answered before.
	CaptchaExpired Code = "captcha-expired"
	// RegistrationExpired means that no registration is under way in this browser.
	RegistrationExpired Code = "registration-expired"
	// RegistrationStep means that the registration is not at this step.
	RegistrationStep Code = "registration-step"
	// RegistrationPerson means that the agreement was signed by another person than the
	// one who registers.
	RegistrationPerson Code = "registration-other-person"
	// RegistrationKnown means that the person has an account already.
	RegistrationKnown Code = "registration-account-exists"
	// RegistrationAttempts means that the data were checked too often.
	RegistrationAttempts Code = "registration-attempts"
	// RegistrationNotOpen means that an account by a certificate of this kind is not opened.
	RegistrationNotOpen Code = "registration-not-open"
	// ActivationInvalid means that the link of the letter is unknown, used or too old.
	ActivationInvalid Code = "activation-link-invalid"
	// ActivationTooOften means that letters with links were asked for too often.
	ActivationTooOften Code = "activation-too-often"
	// RegisterUnavailable means that the register of entrepreneurs does not answer.
	RegisterUnavailable Code = "register-unavailable"
	// RegisterNotFound means that the register does not have the person.
	RegisterNotFound Code = "register-not-found"
	// RegisterMismatch means that the register has other data.
	RegisterMismatch Code = "register-mismatch"
)

// registrationEntries lists the reasons about opening an account.
func registrationEntries() []Entry {
	return append(registrationStepEntries(), []Entry{
		{
			ActivationInvalid, Policy,
			"Ссылка не действует: она уже использована или её срок истёк. Если учётная запись уже активна, просто войдите; иначе запросите новое письмо.",
			"The link is unknown, used or too old; sign in if the account is active, or ask for a new letter.",
			"",
		},
		{
			ActivationTooOften, Limited,
			"Письма запрашивались слишком часто. Подождите и проверьте папку «Спам»: письмо могло уже прийти.",
			"Letters were asked for too often; wait, and look into the folder of unwanted mail.",
			"",
		},
		{
			RegisterUnavailable, Unavailable,
			"Реестр предпринимателей сейчас не отвечает. Введённые данные сохранены: повторите попытку через несколько минут.",
			"The register of entrepreneurs does not answer; what was entered is kept, try again in a few minutes.",
			"",
		},
		{
			RegisterNotFound, Policy,
			"В реестре предпринимателей нет записи с этими данными. Данные проверит сотрудник.",
			"The register of entrepreneurs has no entry with these data; a person will check them.",
			"129-ФЗ, ст. 5",
		},
		{
			RegisterMismatch, Policy,
			"Данные в реестре предпринимателей отличаются от введённых и указанных в сертификате. Данные проверит сотрудник.",
			"The register of entrepreneurs has other data than those entered and in the certificate; a person will check them.",
			"129-ФЗ, ст. 5",
		},
	}...)
}

// registrationStepEntries lists what can be wrong on the way.
func registrationStepEntries() []Entry {
	return []Entry{
		{
			CaptchaWrong, Malformed,
			"Код с картинки введён неверно. Введите код с новой картинки.",
			"The answer to the picture is wrong; answer the new one.",
			"",
		},
		{
			CaptchaExpired, Malformed,
			"Картинка с кодом устарела. Введите код с новой картинки.",
			"The picture is too old or was answered before; answer the new one.",
			"",
		},
		{
			RegistrationExpired, Policy,
			"Регистрация не начата в этом браузере, или её время истекло. Войдите с ключом электронной подписи, чтобы начать или продолжить.",
			"No registration is under way in this browser; sign in with the key to begin or go on.",
			"",
		},
		{
			RegistrationStep, Conflict,
			"Этот шаг регистрации уже пройден или до него ещё не дошло. Продолжите с текущего шага.",
			"The registration is at another step; go on from there.",
			"",
		},
		{
			RegistrationPerson, Policy,
			"Соглашение подписано ключом другого человека. Подпишите его тем же ключом, с которым начали регистрацию.",
			"The agreement was signed by another person; sign it with the key by which the registration was begun.",
			"63-ФЗ, ст. 11, п. 4",
		},
		{
			RegistrationKnown, Conflict,
			"Учётная запись с этим ИНН уже есть. Войдите с ключом электронной подписи или по паролю.",
			"There is an account with this taxpayer number already; sign in.",
			"",
		},
		{
			RegistrationAttempts, Limited,
			"Данные проверялись слишком много раз. Начните регистрацию заново или обратитесь в техническую поддержку.",
			"The data were checked too often; begin again or ask support.",
			"",
		},
		{
			RegistrationNotOpen, Policy,
			"По этому сертификату открыть учётную запись нельзя. Нужен сертификат физического лица, предпринимателя или руководителя организации с ИНН.",
			"No account can be opened by this certificate; one of a natural person, an entrepreneur or the head of an organization is needed, with a taxpayer number.",
			"",
		},
	}
}
