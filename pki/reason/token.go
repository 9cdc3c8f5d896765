package reason

// Reasons about tokens and the libraries that reach them.
const (
	// TokenModuleBad means that a PKCS#11 library could not be loaded or started.
	TokenModuleBad Code = "token-module-bad"
	// TokenSupportMissing means that the program was built without support for
	// PKCS#11.
	TokenSupportMissing Code = "token-support-missing"
	// TokenAbsent means that there is no token, or none of the given label.
	TokenAbsent Code = "token-absent"
	// TokenAmbiguous means that several tokens or keys fit what was asked for.
	TokenAmbiguous Code = "token-ambiguous"
	// TokenRemoved means that the token was taken out during an operation.
	TokenRemoved Code = "token-removed"
	// TokenKeyAbsent means that the token has no key that fits.
	TokenKeyAbsent Code = "token-key-absent"
	// TokenObjectAbsent means that the token has no object of the name that was asked for:
	// no key of another algorithm than GOST, no data.
	TokenObjectAbsent Code = "token-object-absent"
	// TokenDataPublic means that a secret on a token can be read without its PIN.
	TokenDataPublic Code = "token-data-public"
	// TokenPINWrong means that the token refused the PIN.
	TokenPINWrong Code = "token-pin-wrong"
	// TokenPINLastTry means that one more wrong PIN would lock the token, so it was not
	// tried.
	TokenPINLastTry Code = "token-pin-last-try"
	// TokenPINCountLow means that the last PIN was wrong, so that a program that nobody
	// watches did not try its own.
	TokenPINCountLow Code = "token-pin-count-low"
	// TokenPINLocked means that the PIN is locked after too many wrong ones.
	TokenPINLocked Code = "token-pin-locked"
	// TokenPINChange means that the token wants another PIN before it does anything.
	TokenPINChange Code = "token-pin-change"
	// TokenPINUnset means that the token has no PIN for its user yet.
	TokenPINUnset Code = "token-pin-unset"
	// TokenCancelled means that the person cancelled on the PIN pad.
	TokenCancelled Code = "token-cancelled"
	// TokenFailed means that the library reported any other failure.
	TokenFailed Code = "token-failed"
	// TokenCrashed means that the library of the token ended with the process that it
	// was in; the next operation starts it again.
	TokenCrashed Code = "token-crashed"
	// TokenTimeout means that the library did not answer in time, and was ended.
	TokenTimeout Code = "token-timeout"
	// TokenSessionLost means that the login to the token ended with the library or by
	// itself, so that the PIN is needed again.
	TokenSessionLost Code = "token-session-lost"
	// TokenUnsupported means that the token cannot do the operation at all.
	TokenUnsupported Code = "token-unsupported"
	// TokenSignatureBad means that the signature that the token made is not one of its
	// key.
	TokenSignatureBad Code = "token-signature-bad"
)

// tokenEntries lists the reasons about finding tokens and what is on them.
func tokenEntries() []Entry {
	return []Entry{
		{
			TokenModuleBad, Unavailable,
			"Библиотека токена не загрузилась. Установите драйвер токена и укажите путь к его библиотеке PKCS#11.",
			"The library of the token could not be loaded; install the driver and name the path of its PKCS#11 library.",
			"",
		},
		{
			TokenSupportMissing, Unsupported,
			"Эта сборка программы не работает с токенами. Соберите её там, где есть компилятор C (make build).",
			"This build of the program has no support for tokens; build it where there is a C compiler (make build).",
			"",
		},
		{
			TokenAbsent, NotFound,
			"Токен не найден. Подключите токен и повторите; если он подключён, проверьте драйвер и название токена.",
			"There is no such token; connect it and try again, or check the driver and the label.",
			"",
		},
		{
			TokenAmbiguous, Conflict,
			"Подходит несколько токенов или ключей. Укажите нужный токен и ключ.",
			"Several tokens or keys fit; name the token and the key.",
			"",
		},
		{
			TokenRemoved, Unavailable,
			"Токен извлекли во время работы. Подключите его снова и повторите.",
			"The token was removed during the operation; connect it again and retry.",
			"",
		},
		{
			TokenKeyAbsent, NotFound,
			"На токене нет подходящего ключа электронной подписи по ГОСТ Р 34.10-2012. Подключите токен с ключом или укажите другой.",
			"The token has no fitting key of GOST R 34.10-2012; connect the token with the key or name another one.",
			"",
		},
		{
			TokenObjectAbsent, NotFound,
			"На токене нет объекта с таким названием. Проверьте название и идентификатор: pkcs11-tool --list-objects --login.",
			"The token has no object of this name; look at its labels and identifiers: pkcs11-tool --list-objects --login.",
			"",
		},
		{
			TokenDataPublic, Policy,
			"Секрет на токене можно прочитать без PIN-кода. Запишите его заново как закрытый объект (pkcs11-tool --private) и замените секрет.",
			"The secret on the token can be read without the PIN; write it anew as a private object (pkcs11-tool --private) and change the secret.",
			"",
		},
	}
}

// tokenFailureEntries lists the reasons why a token, or its library, did not do what it
// was asked for.
func tokenFailureEntries() []Entry {
	return []Entry{
		{
			TokenCancelled, Policy,
			"Вы отменили операцию на клавиатуре токена. Если это вышло случайно, повторите.",
			"The operation was cancelled on the PIN pad; repeat it if that was not intended.",
			"",
		},
		{
			TokenFailed, Unavailable,
			"Токен ответил ошибкой. Подключите его заново и повторите; если ошибка повторяется, обновите драйвер токена.",
			"The token reported an error; connect it again and retry, and update its driver if that does not help.",
			"",
		},
		{
			TokenCrashed, Unavailable,
			"Программа производителя токена аварийно завершилась, операция не выполнена. Повторите; если это повторяется, обновите драйвер токена.",
			"The library of the token crashed and the operation was not done; retry, and update the driver if it happens again.",
			"",
		},
		{
			TokenTimeout, Unavailable,
			"Токен не ответил вовремя, операция прервана. Подключите его заново и повторите; если это повторяется, обновите драйвер токена.",
			"The token did not answer in time and the operation was ended; connect it again and retry, and update the driver if it happens again.",
			"",
		},
		{
			TokenSessionLost, Unavailable,
			"Сеанс работы с токеном прервался. Введите PIN-код ещё раз и повторите.",
			"The session with the token ended; enter the PIN again and retry.",
			"",
		},
		{
			TokenUnsupported, Unsupported,
			"Токен не умеет выполнять эту операцию. Используйте токен или модуль, который её поддерживает.",
			"The token cannot do this operation; use one, or a module, that can.",
			"",
		},
		{
			TokenSignatureBad, Internal,
			"Подпись, которую сделал токен, не проходит проверку, поэтому она не использована. Обновите драйвер токена.",
			"The signature that the token made does not verify, so it was not used; update the driver of the token.",
			"63-ФЗ, ст. 12",
		},
	}
}

// pinEntries lists the reasons about PINs.
func pinEntries() []Entry {
	return []Entry{
		{
			TokenPINWrong, Credential,
			"PIN-код неверный. Проверьте его и повторите: число попыток ограничено.",
			"The PIN is wrong; check it before trying again, the number of tries is limited.",
			"",
		},
		{
			TokenPINLastTry, Credential,
			"Осталась последняя попытка: ещё один неверный PIN-код заблокирует токен. Если уверены в PIN-коде, разрешите последнюю попытку.",
			"One try is left, and another wrong PIN would lock the token; if you are sure of the PIN, allow the last try.",
			"",
		},
		{
			TokenPINCountLow, Credential,
			"Последний введённый PIN-код был неверным, поэтому программа не стала вводить свой: после каждого перезапуска она тратила бы попытку. Проверьте файл с PIN-кодом и введите верный PIN-код один раз сами: propusk token doctor --module … --pin-file ….",
			"The last PIN that was entered was wrong, so the program did not enter its own, which would cost a try at each start; check the file with the PIN, and enter the right PIN once yourself: propusk token doctor --module … --pin-file ….",
			"",
		},
		{
			TokenPINLocked, Policy,
			"PIN-код заблокирован после неверных попыток. Разблокируйте токен кодом администратора или обратитесь в свой удостоверяющий центр.",
			"The PIN is locked after wrong tries; unlock the token with the administrator's PIN or ask your certification authority.",
			"",
		},
		{
			TokenPINChange, Policy,
			"Токен требует сменить PIN-код. Смените его в программе от производителя токена и повторите.",
			"The token demands another PIN; change it with the program of the vendor and try again.",
			"",
		},
		{
			TokenPINUnset, Policy,
			"На токене ещё не задан PIN-код пользователя. Задайте его в программе от производителя токена.",
			"The token has no user PIN yet; set it with the program of the vendor.",
			"",
		},
	}
}
