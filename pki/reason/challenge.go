package reason

// Reasons about requests to sign that reach an agent, and about the answers to them.
const (
	// SignRequestMalformed means that a request to sign cannot be read, or breaks a limit.
	SignRequestMalformed Code = "sign-request-malformed"
	// SignRequestGatewayUnknown means that no enrolled gateway has the key of a request.
	SignRequestGatewayUnknown Code = "sign-request-gateway-unknown"
	// SignRequestSignature means that a request is not signed by the key that it names.
	SignRequestSignature Code = "sign-request-signature-bad"
	// SignRequestForeign means that a gateway signed a request in the name of another.
	SignRequestForeign Code = "sign-request-foreign"
	// SignRequestExpired means that a request is older than its two minutes, or newer
	// than now.
	SignRequestExpired Code = "sign-request-expired"
	// SignGatewayCard means that what a gateway publishes for agents cannot be used.
	SignGatewayCard Code = "sign-gateway-card-bad"

	// ChallengeUnknown means that there is no such state: it was never made, or was
	// forgotten.
	ChallengeUnknown Code = "challenge-unknown"
	// ChallengeExpired means that the five minutes of a state are over.
	ChallengeExpired Code = "challenge-expired"
	// ChallengeAnswered means that a state has its answer already.
	ChallengeAnswered Code = "challenge-answered"
	// ChallengeUsed means that an answer was taken up already.
	ChallengeUsed Code = "challenge-used"
	// ChallengeUnanswered means that there is no answer to take up.
	ChallengeUnanswered Code = "challenge-unanswered"
	// ChallengeOtherBrowser means that the browser is not the one that began.
	ChallengeOtherBrowser Code = "challenge-other-browser"
	// ChallengeOtherTab means that the browser that began did not bring the answer.
	ChallengeOtherTab Code = "challenge-answer-from-elsewhere"
	// ChallengeOrigin means that a page of another site posted the answer.
	ChallengeOrigin Code = "challenge-origin-foreign"
	// ChallengeAttempts means too many answers or requests for one state.
	ChallengeAttempts Code = "challenge-attempts"
	// ChallengeContent means that the signature is over something else than was asked.
	ChallengeContent Code = "challenge-content-other"
	// ChallengeSigners means that the answer has not exactly one signature.
	ChallengeSigners Code = "challenge-signers"
	// ChallengeNotBound means that the signature does not name its certificate.
	ChallengeNotBound Code = "challenge-certificate-not-bound"
	// ChallengeSigningTime means that the claimed time of signing is absent, or is not
	// that of the answer.
	ChallengeSigningTime Code = "challenge-signing-time"
	// ChallengeCancelled means that the person cancelled.
	ChallengeCancelled Code = "challenge-cancelled"
	// ChallengeAgentFailed means that the agent or plug-in could not sign.
	ChallengeAgentFailed Code = "challenge-agent-failed"

	// SigningOrderUnknown means that there is no such order to sign, or that it is of
	// another service.
	SigningOrderUnknown Code = "signing-order-unknown"
	// SigningOrderExpired means that the time of an order is over.
	SigningOrderExpired Code = "signing-order-expired"
	// SigningOrderDone means that an order is signed already.
	SigningOrderDone Code = "signing-order-done"
	// SigningOrderPerson means that somebody else has signed than the order wants.
	SigningOrderPerson Code = "signing-order-other-person"
	// SigningClientUnauthorized means that the service did not prove who it is.
	SigningClientUnauthorized Code = "signing-client-unauthorized"
)

// challengeEntries lists the reasons about requests to sign and their answers.
func challengeEntries() []Entry {
	return append(append(signRequestEntries(), challengeStateEntries()...), append(challengeAnswerEntries(), signingOrderEntries()...)...)
}

func signRequestEntries() []Entry {
	return []Entry{
		{
			SignRequestMalformed, Malformed,
			"Запрос на подпись повреждён или составлен неверно. Вернитесь на сайт и начните заново; если повторится, сообщите его владельцу.",
			"The request to sign is damaged or malformed; go back to the site and start again, or tell its owner.",
			"RFC 7515, 5.2",
		},
		{
			SignRequestGatewayUnknown, Policy,
			"Подписать просит сайт, который не внесён в список доверенных этой программы. Не подписывайте; если вы доверяете сайту, сначала добавьте его в программу.",
			"The site that asks for a signature is not enrolled in this program; do not sign, or enrol the site first if you trust it.",
			"",
		},
		{
			SignRequestSignature, Policy,
			"Запрос на подпись подделан: он не заверен ключом сайта. Не подписывайте и начните заново с самого сайта.",
			"The request to sign is forged, since the key of the site did not sign it; do not sign, and start again from the site.",
			"RFC 7515, 5.2",
		},
		{
			SignRequestForeign, Policy,
			"Сайт просит подпись от имени другого сайта. Не подписывайте и сообщите об этом в техническую поддержку.",
			"A site asks for a signature in the name of another site; do not sign, and tell technical support.",
			"",
		},
		{
			SignRequestExpired, Policy,
			"Запрос на подпись устарел, или на этом компьютере неверное время. Проверьте часы, вернитесь на страницу входа и откройте программу ещё раз.",
			"The request to sign is too old, or the clock of this computer is wrong; check the clock and open the program again from the sign-in page.",
			"",
		},
		{
			SignGatewayCard, Malformed,
			"Сведения сайта для программы подписи не читаются. Проверьте адрес сайта и повторите; если повторится, сообщите его владельцу.",
			"What the site publishes for signing programs cannot be used; check the address, or tell the owner of the site.",
			"",
		},
	}
}

func challengeStateEntries() []Entry {
	return []Entry{
		{
			ChallengeUnknown, NotFound,
			"Такой вход или подписание здесь не начинали, или оно давно завершено. Вернитесь на сайт сервиса и начните заново.",
			"Nothing of this kind was started here, or it ended long ago; go back to the service and start again.",
			"",
		},
		{
			ChallengeExpired, Conflict,
			"Подпись пришла слишком поздно: на неё даётся пять минут. Начните заново.",
			"The signature came too late, after more than five minutes; start again.",
			"",
		},
		{
			ChallengeAnswered, Conflict,
			"Ответ с подписью уже получен, второй раз он не принимается. Если вход не завершился, начните заново.",
			"The signature has been received already and is not taken twice; start again if the sign-in did not finish.",
			"",
		},
		{
			ChallengeUsed, Conflict,
			"Эта подпись уже использована: одной подписью можно войти один раз. Начните заново.",
			"This signature has been used already, and is good once; start again.",
			"",
		},
		{
			ChallengeUnanswered, Conflict,
			"Подписи ещё нет. Вернитесь на страницу ожидания и откройте программу подписи.",
			"There is no signature yet; go back to the waiting page and open the signing program.",
			"",
		},
		{
			ChallengeOtherBrowser, Policy,
			"Подпись дана для входа, который начат в другом браузере. Если вы его не начинали, кто-то пытался войти под вашим именем: ничего не подписывайте по чужим ссылкам и начните вход сами.",
			"The signature is for a sign-in that another browser started; if you did not, somebody tried to enter in your name, so start the sign-in yourself.",
			"",
		},
		{
			ChallengeOtherTab, Policy,
			"Вход завершается там, где поставлена подпись. Вернитесь на вкладку программы подписи; если её нет, начните заново.",
			"The sign-in ends in the tab in which the signature was made; go back to that tab, or start again.",
			"",
		},
		{
			ChallengeOrigin, Policy,
			"Ответ прислала страница постороннего сайта. Закройте её и начните вход заново.",
			"A page of another site posted the answer; close it and start again.",
			"RFC 6454, 7",
		},
		{
			ChallengeAttempts, Limited,
			"Слишком много попыток для одного входа. Начните заново.",
			"There were too many attempts for one sign-in; start again.",
			"",
		},
	}
}

func challengeAnswerEntries() []Entry {
	return []Entry{
		{
			ChallengeContent, Policy,
			"Подписано не то, что просил этот сайт: другой вход, другой сайт или другой документ. Начните заново и подпишите то, что покажет программа.",
			"The signature is over something else than this gateway asked for, such as another sign-in, site or document; start again.",
			"RFC 5652, 5.4",
		},
		{
			ChallengeSigners, Policy,
			"В ответе должна быть ровно одна подпись. Начните заново и подпишите одним сертификатом.",
			"The answer must have exactly one signature; start again and sign with one certificate.",
			"RFC 5652, 5.1",
		},
		{
			ChallengeNotBound, Policy,
			"Подпись не связана с сертификатом: нет атрибута signing-certificate. Обновите программу или расширение для подписи и начните заново.",
			"The signature is not bound to its certificate by the attribute signing-certificate; update the signing program and start again.",
			"ETSI EN 319 122-1, 5.2.2",
		},
		{
			ChallengeSigningTime, Policy,
			"Время в подписи не совпадает с временем сервера. Поставьте на компьютере точное время и часовой пояс и подпишите заново.",
			"The time in the signature is not that of the server; set the clock and the time zone of the computer and sign again.",
			"RFC 5652, 11.3",
		},
		{
			ChallengeCancelled, Policy,
			"Вы отказались от подписи. Если передумали, начните заново.",
			"You declined to sign; start again if you changed your mind.",
			"",
		},
		{
			ChallengeAgentFailed, Policy,
			"Программа или расширение не смогли поставить подпись. Проверьте, подключён ли токен, и начните заново.",
			"The signing program or plug-in could not sign; check that the token is connected and start again.",
			"",
		},
	}
}

func signingOrderEntries() []Entry {
	return []Entry{
		{
			SigningOrderUnknown, NotFound,
			"Такого документа на подпись здесь нет. Вернитесь на сайт сервиса и начните заново.",
			"There is no such order to sign; go back to the service and start again.",
			"",
		},
		{
			SigningOrderExpired, Conflict,
			"Время, отведённое на подписание, закончилось. Вернитесь на сайт сервиса и начните заново.",
			"The time for signing is over; go back to the service and start again.",
			"",
		},
		{
			SigningOrderDone, Conflict,
			"Документ уже подписан. Вернитесь на сайт сервиса.",
			"The document is signed already; go back to the service.",
			"",
		},
		{
			SigningOrderPerson, Policy,
			"Подписать должен другой человек: сервис ждёт подпись владельца учётной записи. Выберите его сертификат и подпишите заново.",
			"The service wants the signature of another person; choose the certificate of that person and sign again.",
			"",
		},
		{
			SigningClientUnauthorized, Credential,
			"Сервис не подтвердил, кто он. Передайте client_id и секрет зарегистрированного сервиса.",
			"The service did not prove who it is; send the client_id and secret of a registered service.",
			"RFC 7617",
		},
	}
}
