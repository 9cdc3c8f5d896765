package reason

import "slices"

// Reasons why an account does not let its person in, or lets him do less.
const (
	// AccountBlocked means that the operator has blocked the account.
	AccountBlocked Code = "account-blocked"
	// AccountBlockedBySelf means that the person has blocked the account.
	AccountBlockedBySelf Code = "account-blocked-by-person"
	// AccountCardExpired means that the first password was not changed in time.
	AccountCardExpired Code = "account-first-password-expired"
	// AccountKeysCompromised means that the person has given up all keys of the account.
	AccountKeysCompromised Code = "account-keys-compromised"
	// AccountAwaiting means that the address of the account is not confirmed yet.
	AccountAwaiting Code = "account-awaiting-activation"
	// AccountPending means that an operator compares the data of the account.
	AccountPending Code = "account-pending-check"
	// AccountRejected means that the operator has refused to open the account.
	AccountRejected Code = "account-rejected"
	// AccountClosed means that the account was given up for ever.
	AccountClosed Code = "account-closed"
	// AccountUnknown means that the person has no account, and cannot open one here.
	AccountUnknown Code = "account-unknown"
	// AccountIdentity means that a certificate has the ИНН of an account, and the rest of it
	// is another person's.
	AccountIdentity Code = "account-other-identity"
	// AccountBusy means that two requests have changed the account at once.
	AccountBusy Code = "account-changed-meanwhile"
	// AccountLost means that the store of accounts does not answer.
	AccountLost Code = "account-store-unavailable"
	// AccountKeyCompromised means that the person has given this key up.
	AccountKeyCompromised Code = "account-key-compromised"
	// AccountKeyReused means that a new certificate has a key that the person has given up.
	AccountKeyReused Code = "account-key-reused"
	// AccountKeyOld means that all keys were given up, and the certificate is older than that.
	AccountKeyOld Code = "account-key-older"
	// AccountKeyRemoved means that the person has taken this certificate out of the account.
	AccountKeyRemoved Code = "account-key-removed"
	// AccountLimited means that somebody who is no entrepreneur any more wants what only
	// entrepreneurs get.
	AccountLimited Code = "account-entrepreneur-closed"
	// AccountShut means that the years after the end of an enterprise are over.
	AccountShut Code = "account-entrepreneur-shut"
	// AccountEmailLink means that the link for a new address is unknown, used or too old.
	AccountEmailLink Code = "account-email-link"
)

// admissionEntries lists the reasons about accounts and the keys that open them.
func admissionEntries() []Entry {
	return slices.Concat(accountStateEntries(), accountKeyEntries(), accountEntries())
}

// accountStateEntries is about the states of accounts.
func accountStateEntries() []Entry {
	return []Entry{
		{
			AccountBlocked, Policy,
			"Учётная запись заблокирована оператором. Обратитесь в техническую поддержку.",
			"The operator has blocked the account; ask support.", "",
		},
		{
			AccountBlockedBySelf, Policy,
			"Учётная запись заблокирована по вашему заявлению. Чтобы снова открыть её, обратитесь лично в инспекцию с документом, удостоверяющим личность.",
			"The account was blocked at the wish of its person; to open it again the person has to come to an office with a paper of identity.", "",
		},
		{
			AccountCardExpired, Policy,
			"Учётная запись заблокирована: первичный пароль не был изменён вовремя. Получите новую регистрационную карту или войдите с ключом электронной подписи.",
			"The account is blocked since its first password was not changed in time; get a new registration card, or sign in with a key.", "",
		},
		{
			AccountKeysCompromised, Policy,
			"Все ключи учётной записи отмечены как скомпрометированные. Получите новый сертификат с новым ключом и войдите с ним.",
			"All keys of the account were given up; get a new certificate with a new key and sign in with it.", "63-ФЗ, ст. 10, п. 1",
		},
		{
			AccountAwaiting, Policy,
			"Учётная запись ещё не активирована. Откройте ссылку из письма, которое пришло на указанный адрес.",
			"The account is not active yet; open the link of the letter that went to the address given.", "",
		},
		{
			AccountPending, Policy,
			"Данные учётной записи проверяет сотрудник. Дождитесь письма о результате: проверка занимает до 15 рабочих дней.",
			"A person checks the data of the account; wait for the letter, which takes up to 15 working days.", "",
		},
		{
			AccountRejected, Policy,
			"В открытии учётной записи отказано по результатам проверки данных. Обратитесь в техническую поддержку.",
			"The account was refused after its data were checked; ask support.", "",
		},
		{
			AccountClosed, Policy,
			"Учётная запись закрыта. Чтобы открыть новую, обратитесь в инспекцию.",
			"The account was closed for ever; ask at an office for a new one.", "",
		},
		{
			AccountUnknown, Policy,
			"Учётной записи для этого сертификата нет, а регистрация здесь не открыта. Обратитесь в техническую поддержку.",
			"There is no account for this certificate, and none can be opened here; ask support.", "",
		},
	}
}

// accountKeyEntries is about keys that open no account.
func accountKeyEntries() []Entry {
	return []Entry{
		{
			AccountIdentity, Policy,
			"В сертификате ИНН вашей учётной записи, но другие ФИО или СНИЛС. Сертификат не привязан; обратитесь в техническую поддержку. Данные должен сверить сотрудник.",
			"The certificate has the taxpayer number of an account and another name or insurance number, and was not bound to it; ask support to compare the data.", "",
		},
		{
			AccountKeyCompromised, Policy,
			"Вы сообщили, что этот ключ скомпрометирован. Войти с ним нельзя: получите новый сертификат с новым ключом.",
			"The person has given this key up; get a new certificate with a new key.", "63-ФЗ, ст. 10, п. 1",
		},
		{
			AccountKeyReused, Policy,
			"Сертификат выпущен на ключ, который вы отметили как скомпрометированный. Получите сертификат с новым ключом.",
			"The certificate is for a key that the person has given up; get one for a new key.", "63-ФЗ, ст. 10, п. 1",
		},
		{
			AccountKeyOld, Policy,
			"Сертификат выпущен раньше, чем вы отметили все ключи как скомпрометированные. Получите новый сертификат.",
			"The certificate is older than the moment at which all keys were given up; get a new one.", "63-ФЗ, ст. 10, п. 1",
		},
		{
			AccountKeyRemoved, Policy,
			"Вы удалили этот сертификат из своей учётной записи. Войдите с другим сертификатом или по паролю.",
			"The person has taken this certificate out of the account; sign in with another one, or by password.", "",
		},
	}
}

// accountEntries is about the rest.
func accountEntries() []Entry {
	return []Entry{
		{
			AccountBusy, Conflict,
			"Учётная запись изменилась, пока вы заполняли форму. Откройте страницу заново и повторите.",
			"The account was changed meanwhile; open the page anew and repeat.", "",
		},
		{
			AccountLost, Unavailable,
			"Сейчас учётные записи недоступны. Повторите попытку через несколько минут.",
			"The store of accounts does not answer; try again in a few minutes.", "",
		},
		{
			AccountLimited, Policy,
			"Деятельность ИП прекращена, поэтому этот раздел недоступен. Ещё три года доступны разделы, для которых достаточно входа по паролю.",
			"The person is no entrepreneur any more and this needs one; for three years what needs only a password remains.", "",
		},
		{
			AccountShut, Policy,
			"Со дня прекращения деятельности ИП прошло больше трёх лет, доступ закрыт. Войдите с сертификатом физического лица.",
			"More than three years have passed since the enterprise ended; sign in with a certificate of a natural person.", "",
		},
		{
			AccountEmailLink, Policy,
			"Ссылка для смены адреса не действует: она использована или её срок истёк. Запросите новую на странице «Электронная почта».",
			"The link for a new address is unknown, used or too old; ask for another on the page of the address.", "",
		},
	}
}
