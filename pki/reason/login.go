package reason

// Reasons about sign-in by login and password, and about what goes with it.
const (
	// LoginWrong means that login and password do not belong together; whether there is such
	// a login is not told.
	LoginWrong Code = "login-wrong"
	// LoginThrottled means too many attempts from this network or this browser.
	LoginThrottled Code = "login-too-many-attempts"
	// LoginStrangers means too many attempts at this login, from many networks.
	LoginStrangers Code = "login-too-many-strangers"
	// LoginExpired means that no sign-in by password waits in this browser any more.
	LoginExpired Code = "login-expired"
	// LoginCodeWrong means that a code of a second factor is not right.
	LoginCodeWrong Code = "login-code-wrong"
	// LoginCodeAttempts means that codes were tried in vain too often.
	LoginCodeAttempts Code = "login-code-attempts"
	// LoginCodeSent means that codes by e-mail were asked for too often.
	LoginCodeSent Code = "login-code-too-many-letters"
	// LoginNoFactor means that a service wants a second factor, and the account has none.
	LoginNoFactor Code = "login-no-second-factor"
	// LoginRecoveryLink means that a link of recovery is unknown, used or too old.
	LoginRecoveryLink Code = "login-recovery-link-invalid"
	// LoginRecoveryAttempts means that recovery was tried too often.
	LoginRecoveryAttempts Code = "login-recovery-attempts"
)

// loginEntries lists the reasons about sign-in by password.
func loginEntries() []Entry {
	return append(secondFactorEntries(), []Entry{
		{
			LoginWrong, Credential,
			"ИНН или пароль указаны неверно. Проверьте раскладку клавиатуры и Caps Lock или восстановите пароль.",
			"The INN or the password is wrong; check the layout of the keyboard and Caps Lock, or recover the password.", "",
		},
		{
			LoginThrottled, Limited,
			"Слишком много неудачных попыток входа из вашей сети. Подождите, войдите с ключом электронной подписи или восстановите пароль.",
			"Too many failed attempts from this network; wait, sign in with a key, or recover the password.", "",
		},
		{
			LoginStrangers, Limited,
			"С этим ИНН слишком часто пытались войти с незнакомых устройств. Войдите с устройства, с которого уже входили, с ключом электронной подписи, или восстановите пароль.",
			"There were too many attempts at this INN from unknown devices; use a device that you have signed in from before, sign in with a key, or recover the password.", "",
		},
		{
			LoginExpired, Policy,
			"Вход по паролю не начат в этом браузере, или его время истекло. Начните вход заново.",
			"No sign-in by password waits in this browser, or it is too old; begin again.", "",
		},
		{
			LoginRecoveryLink, Policy,
			"Ссылка для смены пароля не действует: она уже использована или её срок истёк. Запросите новую.",
			"The link for a new password is unknown, used or too old; ask for another one.", "",
		},
		{
			LoginRecoveryAttempts, Limited,
			"Пароль пытались восстановить слишком часто. Подождите или восстановите его с ключом электронной подписи.",
			"Recovery was tried too often; wait, or recover with a key.", "",
		},
	}...)
}

// secondFactorEntries is about second factors.
func secondFactorEntries() []Entry {
	return []Entry{
		{
			LoginCodeWrong, Credential,
			"Код не подошёл: он неверен, уже использован или устарел. Введите новый код.",
			"The code is wrong, was used already or is too old; enter a new one.", "",
		},
		{
			LoginCodeAttempts, Limited,
			"Код слишком много раз введён неверно. Подождите и начните вход заново или войдите с ключом электронной подписи.",
			"Codes were entered wrongly too often; wait and begin again, or sign in with a key.", "",
		},
		{
			LoginCodeSent, Limited,
			"Письма с кодами запрашивались слишком часто. Подождите и проверьте папку «Спам»: письмо могло уже прийти.",
			"Letters with codes were asked for too often; wait, and look into the folder of unwanted mail.", "",
		},
		{
			LoginNoFactor, Policy,
			"Этому сервису нужен вход с кодом подтверждения, а в учётной записи он не настроен. Настройте его в разделе «Безопасность» или войдите с ключом электронной подписи.",
			"This service wants a second factor, and the account has none; set one up under Security, or sign in with a key.", "",
		},
	}
}
