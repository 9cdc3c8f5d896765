package page

import "propusk/pki/reason"

// accountAdvice is about accounts that do not let their people in, and about their keys.
func accountAdvice(code reason.Code) (advice, bool) {
	if a, ok := accountStateAdvice(code); ok {
		return a, true
	}
	return accountKeyAdvice(code)
}

func stepSupport() Text {
	return Text{
		RU: "Обратитесь в техническую поддержку: ссылка внизу страницы. Назовите код обращения.",
		EN: "Ask technical support: the link is at the foot of the page. Tell the support code.",
	}
}

func stepOffice() Text {
	return Text{
		RU: "Придите в инспекцию с документом, удостоверяющим личность: учётную запись откроют при вас.",
		EN: "Come to an office with a paper of identity: the account is opened while you are there.",
	}
}

func stepNewKey() Text {
	return Text{
		RU: "Получите новый сертификат с новым ключом. Регистрироваться заново не нужно: войдите с ним, и учётная запись откроется.",
		EN: "Get a new certificate for a new key. There is no need to register: sign in with it.",
	}
}

// accountStateAdvice is about states of accounts.
func accountStateAdvice(code reason.Code) (advice, bool) {
	a := advice{Cause: entryText(code)}
	switch code {
	case reason.AccountBlocked:
		a.Title, a.Steps = Text{"Учётная запись заблокирована", "The account is blocked"}, []Text{stepSupport(), stepOffice()}
	case reason.AccountBlockedBySelf:
		a.Title = Text{"Вы заблокировали учётную запись", "You have blocked the account"}
		a.Steps = []Text{stepOffice(), {
			"Если блокировали не вы, скажите об этом сотруднику: по журналу видно, откуда это сделано.",
			"If it was not you, say so there: the journal tells from where it was done.",
		}}
	case reason.AccountCardExpired:
		a.Title = Text{"Первичный пароль не был изменён вовремя", "The first password was not changed in time"}
		a.Steps = []Text{
			{"Если есть ключ электронной подписи, войдите с ним: учётная запись откроется сразу.", "If you have a key of electronic signature, sign in with it: the account opens at once."},
			{"Если ключа нет, получите новую регистрационную карту в любой инспекции.", "If not, get a new registration card at any office."},
		}
	case reason.AccountKeysCompromised:
		a.Title = Text{"Все ключи отмечены как скомпрометированные", "All keys were given up"}
		a.Steps = []Text{stepNewKey(), stepSupport()}
	case reason.AccountAwaiting:
		a.Title = Text{"Учётная запись ещё не активирована", "The account is not active yet"}
		a.Steps = []Text{
			{"Найдите письмо со ссылкой, посмотрите и в папке «Спам». Ссылку можно открыть в любом браузере.", "Look for the letter with the link, among unwanted mail too. The link works in any browser."},
			{"Чтобы получить письмо ещё раз, войдите с ключом электронной подписи.", "Sign in with the key to get the letter again."},
			{"Если за два часа письмо не пришло, обратитесь в техническую поддержку.", "If no letter has come within two hours, ask technical support."},
		}
	case reason.AccountPending:
		a.Title = Text{"Данные проверяет сотрудник", "A person checks the data"}
		a.Steps = []Text{{"Дождитесь письма: в нём будет результат. Повторно регистрироваться не нужно.", "Wait for the letter with the result. There is no need to register again."}, stepSupport()}
	case reason.AccountRejected:
		a.Title, a.Steps = Text{"В регистрации отказано", "The registration was refused"}, []Text{stepSupport()}
	case reason.AccountClosed:
		a.Title, a.Steps = Text{"Учётная запись закрыта", "The account was closed"}, []Text{stepOffice()}
	case reason.AccountUnknown:
		a.Title, a.Steps = Text{"Учётной записи нет", "There is no account"}, []Text{stepSupport()}
	case reason.AccountLimited:
		a.Title = Text{"Деятельность ИП прекращена", "The enterprise has ended"}
		a.Steps = []Text{
			{"Если вы действуете от своего имени, войдите с сертификатом физического лица.", "If you act for yourself, sign in with a certificate of a natural person."},
			{"Разделы, которым достаточно входа по паролю, остаются доступны три года со дня прекращения.", "What needs only a password stays open for three years."},
			{"Если вы снова зарегистрировались как ИП, войдите с новым сертификатом.", "If you are an entrepreneur again, sign in with the new certificate."},
		}
	case reason.AccountShut:
		a.Title = Text{"Доступ для бывшего ИП закрыт", "The time after the enterprise is over"}
		a.Steps = []Text{{"Войдите с сертификатом физического лица.", "Sign in with a certificate of a natural person."}, stepSupport()}
	default:
		return advice{}, false
	}
	return a, true
}

// accountKeyAdvice is about keys that open no account, and about changes that failed.
func accountKeyAdvice(code reason.Code) (advice, bool) {
	a := advice{Cause: entryText(code)}
	switch code {
	case reason.AccountIdentity:
		a.Title = Text{"Данные сертификата и учётной записи расходятся", "The certificate and the account differ"}
		a.Steps = []Text{
			{"Проверьте ФИО, ИНН и СНИЛС в сертификате: их показывает программа подписи.", "Look at the name and the numbers of the certificate."},
			{"Если в сертификате ошибка, удостоверяющий центр обязан его перевыпустить.", "If the certificate is wrong, its certification authority has to issue another one."},
			{"Если вы сменили имя, обратитесь в техническую поддержку и приложите сертификат: сотрудник сверит данные.", "If you have changed your name, ask technical support with the certificate: a person compares the data."},
		}
	case reason.AccountKeyCompromised, reason.AccountKeyReused, reason.AccountKeyOld:
		a.Title = Text{"Войти с этим ключом нельзя", "This key opens nothing any more"}
		a.Steps = []Text{stepNewKey(), {
			"Если сертификат ещё не отозван, сообщите о потере ключа удостоверяющему центру.",
			"If the certificate is not revoked yet, tell its certification authority that the key is lost.",
		}, stepSupport()}
	case reason.AccountKeyRemoved:
		a.Title = Text{"Сертификат удалён из учётной записи", "The certificate was taken out of the account"}
		a.Steps = []Text{stepOther(), {"Если есть пароль, войдите по логину и паролю.", "If you have a password, sign in with it."}, stepSupport()}
	case reason.AccountBusy:
		a.Title = Text{"Данные изменились", "The data have changed"}
		a.Steps = []Text{{"Откройте страницу заново и повторите действие.", "Open the page anew and repeat."}}
	case reason.AccountLost:
		a.Title, a.Steps = Text{"Учётные записи недоступны", "Accounts cannot be reached"}, []Text{stepLater(), stepSupport()}
	case reason.AccountEmailLink:
		a.Title = Text{"Ссылка для смены адреса не действует", "The link for a new address is not good"}
		a.Steps = []Text{
			{"Если вы уже нажимали кнопку на этой странице, адрес изменён.", "If you have pressed the button of this page before, the address was changed."},
			{"Если нет, войдите в учётную запись и запросите новую ссылку: действует только последняя.", "If not, sign in to the account and ask for another link: only the last one is good."},
		}
	default:
		return advice{}, false
	}
	return a, true
}
