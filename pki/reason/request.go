package reason

// Reasons about requests, sign-in and sessions.
const (
	// RequestMalformed means that the body or the parameters cannot be read.
	RequestMalformed Code = "request-malformed"
	// RequestFieldMissing means that a mandatory field is absent or empty.
	RequestFieldMissing Code = "request-field-missing"
	// RequestFieldUnknown means that the request has a field that we do not know.
	RequestFieldUnknown Code = "request-field-unknown"
	// RequestFieldRepeated means that a field occurs more than once.
	RequestFieldRepeated Code = "request-field-repeated"
	// RequestFieldBad means that the value of a field cannot be used.
	RequestFieldBad Code = "request-field-bad"
	// RequestBase64 means that a field is not whole base64.
	RequestBase64 Code = "request-base64-malformed"
	// RequestTooLarge means that the body is longer than the limit.
	RequestTooLarge Code = "request-too-large"
	// RequestIncomplete means that the body ended, or stopped, before its end.
	RequestIncomplete Code = "request-incomplete"
	// MediaTypeUnsupported means that the body is of a type we do not read.
	MediaTypeUnsupported Code = "media-type-unsupported"
	// MethodNotAllowed means that the address exists, but not for this method.
	MethodNotAllowed Code = "method-not-allowed"
	// PageNotFound means that nothing lives at this address.
	PageNotFound Code = "page-not-found"
	// ServerBusy means that too many requests are under way.
	ServerBusy Code = "server-busy"

	// GOSTTLSRequired means that the connection to the sign-in host is ordinary
	// TLS, in which a qualified certificate cannot be shown.
	GOSTTLSRequired Code = "gost-tls-required"
	// ConnectionKeyMismatch means that the key proven by the connection is not
	// the key in the certificate as we parse it.
	ConnectionKeyMismatch Code = "connection-key-mismatch"
	// TrustDataAbsent means that no trust snapshot has been loaded yet.
	TrustDataAbsent Code = "trust-data-absent"
	// TrustDataStale means that the list of accredited CAs is older than allowed.
	TrustDataStale Code = "trust-data-stale"

	// SignInExpired means that the sign-in was not started here, took too long,
	// or is already finished.
	SignInExpired Code = "signin-expired"
	// SignInTicketInvalid means that the one-time ticket is unknown, used or old.
	SignInTicketInvalid Code = "signin-ticket-invalid"
	// SignInOtherBrowser means that the sign-in was started in another browser.
	SignInOtherBrowser Code = "signin-other-browser"

	// ClientUnknown means that no service is registered under this client_id.
	ClientUnknown Code = "client-unknown"
	// RedirectMismatch means that the return address is not registered for the
	// service.
	RedirectMismatch Code = "redirect-uri-mismatch"
	// AuthorizationInvalid means that the authorization request lacks what the
	// service must send, or asks for what is not offered.
	AuthorizationInvalid Code = "authorization-request-invalid"
)

// requestEntries lists the reasons about requests, sign-in and sessions.
func requestEntries() []Entry {
	return append(requestFormEntries(), signInEntries()...)
}

// requestFormEntries lists what can be wrong with the form of a request.
func requestFormEntries() []Entry {
	return append(requestFieldEntries(), []Entry{
		{
			RequestTooLarge, TooLarge,
			"Файл больше допустимого размера. Передайте файл меньшего размера.",
			"The request is longer than the limit; send a smaller one.",
			"RFC 9110, 15.5.14",
		},
		{
			RequestIncomplete, Malformed,
			"Файл передан не полностью: связь прервалась. Повторите отправку.",
			"The body of the request ended before its end; send it again.",
			"RFC 9112, 8",
		},
		{
			MediaTypeUnsupported, Unsupported,
			"Запрос передан в неизвестном виде. Отправьте файлы как multipart/form-data, в формате JSON или одну подпись как application/octet-stream.",
			"The content type is not supported; use multipart/form-data, application/json, or application/octet-stream for one file.",
			"RFC 9110, 15.5.16",
		},
		{
			MethodNotAllowed, Unsupported,
			"Этот адрес открывается иначе. Вернитесь на главную страницу и выберите нужное действие.",
			"The method is not allowed at this address; see the header Allow.",
			"RFC 9110, 15.5.6",
		},
		{
			PageNotFound, NotFound,
			"Такой страницы нет. Проверьте адрес или вернитесь на главную страницу.",
			"Nothing lives at this address; check it, or see /api/v1/openapi.json.",
			"RFC 9110, 15.5.5",
		},
		{
			ServerBusy, Unavailable,
			"Сервер сейчас занят. Повторите попытку через минуту.",
			"Too many requests are under way; try again in a minute.",
			"RFC 9110, 15.6.4",
		},
	}...)
}

// requestFieldEntries lists what can be wrong with the fields of a request.
func requestFieldEntries() []Entry {
	return []Entry{
		{
			RequestMalformed, Malformed,
			"Запрос не удалось прочитать. Вернитесь на предыдущую страницу и повторите действие.",
			"The request cannot be read; correct its form and send it again.",
			"RFC 9110, 15.5.1",
		},
		{
			RequestFieldMissing, Malformed,
			"В запросе не хватает обязательного поля. Заполните его и повторите отправку.",
			"A mandatory field is absent or empty; add it.",
			"",
		},
		{
			RequestFieldUnknown, Malformed,
			"В запросе есть лишнее поле. Уберите его и повторите отправку.",
			"The request has an unknown field; remove it.",
			"",
		},
		{
			RequestFieldRepeated, Malformed,
			"Одно из полей запроса передано дважды. Оставьте одно значение и повторите отправку.",
			"A field occurs more than once; leave one value.",
			"",
		},
		{
			RequestFieldBad, Malformed,
			"Значение одного из полей запроса неверно. Исправьте его и повторите отправку.",
			"The value of a field cannot be used; correct it.",
			"",
		},
		{
			RequestBase64, Malformed,
			"Файл в запросе повреждён: кодировка Base64 нарушена. Передайте файл заново целиком.",
			"A field is not whole base64; encode the file again.",
			"RFC 4648, 4",
		},
	}
}

// signInEntries lists what can go wrong on the way from a service through the
// sign-in host and back.
func signInEntries() []Entry {
	return append([]Entry{
		{
			GOSTTLSRequired, Policy,
			"Ваш браузер открыл эту страницу без шифрования по ГОСТ, поэтому сертификат показать нельзя. Откройте её в браузере с поддержкой ГОСТ TLS.",
			"The connection is ordinary TLS; open the page in a browser with GOST TLS to present a certificate.",
			"RFC 9189",
		},
		{
			ConnectionKeyMismatch, Policy,
			"Ключ, которым защищено соединение, не совпадает с ключом в сертификате. Перевыпустите сертификат в удостоверяющем центре.",
			"The key proven by the connection is not the key in the certificate; have the certificate reissued.",
			"RFC 5246, 7.4.8",
		},
		{
			TrustDataAbsent, Unavailable,
			"Сервер ещё не загрузил сведения об удостоверяющих центрах. Повторите попытку через несколько минут.",
			"No trust data have been loaded yet; try again in a few minutes.",
			"",
		},
		{
			TrustDataStale, Unavailable,
			"Сведения об удостоверяющих центрах на сервере устарели, поэтому вход временно закрыт. Повторите попытку позже.",
			"The list of accredited CAs is older than allowed; update the trust data and try again.",
			"63-ФЗ, ст. 8",
		},
		{
			SignInExpired, Conflict,
			"Вход не начат или занял слишком много времени. Вернитесь в личный кабинет и начните вход заново.",
			"The sign-in is unknown, too old or already finished; start again from the service.",
			"",
		},
		{
			SignInTicketInvalid, Conflict,
			"Эта ссылка возврата уже использована или устарела. Вернитесь в личный кабинет и начните вход заново.",
			"The one-time ticket is unknown, used or old; start again from the service.",
			"",
		},
		{
			SignInOtherBrowser, Policy,
			"Вход начат в другом браузере, поэтому он отменён. Если вы перешли по чужой ссылке, не делайте этого; начните вход сами из личного кабинета.",
			"The sign-in was started in another browser and is cancelled; start it yourself from the service.",
			"RFC 9700, 4.7",
		},
	}, clientEntries()...)
}

// clientEntries lists what a service can do wrong when it asks for a sign-in.
func clientEntries() []Entry {
	return []Entry{
		{
			ClientUnknown, Malformed,
			"Сервис, который отправил вас сюда, у нас не зарегистрирован. Сообщите об этом владельцу сервиса.",
			"No client is registered under this client_id; correct the client or the configuration.",
			"RFC 6749, 4.1.2.1",
		},
		{
			RedirectMismatch, Malformed,
			"Сервис указал незарегистрированный адрес возврата, поэтому вход остановлен. Сообщите об этом владельцу сервиса.",
			"The redirect_uri is not registered for this client; register exactly this address.",
			"RFC 9700, 2.1",
		},
		{
			AuthorizationInvalid, Malformed,
			"Сервис отправил неверный запрос на вход. Сообщите об этом владельцу сервиса.",
			"The authorization request is invalid; code flow with state, nonce and PKCE S256 is required.",
			"OpenID Connect Core, 3.1.2.1",
		},
	}
}
