package reason

import "slices"

// Reasons of the agent on the machine of a person.
const (
	// AgentHostWrong means that a request to the agent names another host than the
	// address that it listens on.
	AgentHostWrong Code = "agent-host-wrong"
	// AgentNotNavigation means that a page of the agent was asked for by a script or for
	// a frame, or by a browser that does not say by whom (Fetch Metadata).
	AgentNotNavigation Code = "agent-not-a-navigation"
	// AgentForeignUser means that another user of the machine talks to the agent.
	AgentForeignUser Code = "agent-foreign-user"
	// AgentOriginForeign means that a form was not sent by a page of the agent.
	AgentOriginForeign Code = "agent-origin-foreign"
	// AgentFormStale means that a form was sent for the second time, or is too old.
	AgentFormStale Code = "agent-form-stale"
	// AgentVisitUnknown means that the page belongs to a request that is over.
	AgentVisitUnknown Code = "agent-visit-unknown"
	// AgentRequestUsed means that the request was answered already.
	AgentRequestUsed Code = "agent-request-used"
	// AgentBusy means that too many requests wait for an answer.
	AgentBusy Code = "agent-busy"
	// AgentCertificateGone means that the certificate that was chosen is no longer there.
	AgentCertificateGone Code = "agent-certificate-gone"
	// AgentKeyMissing means that there is a certificate on the token, but not its key.
	AgentKeyMissing Code = "agent-private-key-missing"
	// AgentSignaturePIN means that the token wants another PIN before it signs.
	AgentSignaturePIN Code = "agent-signature-pin"
	// AgentPINMissing means that no PIN was entered.
	AgentPINMissing Code = "agent-pin-missing"
	// AgentGatewayKnown means that a gateway that is enrolled shows other keys.
	AgentGatewayKnown Code = "agent-gateway-keys-changed"
)

// agentEntries lists the reasons of the agent.
func agentEntries() []Entry { return slices.Concat(agentDoorEntries(), agentSigningEntries()) }

// agentDoorEntries is about who talks to the agent.
func agentDoorEntries() []Entry {
	return []Entry{
		{
			AgentHostWrong, Policy,
			"Страница агента открыта по неверному адресу. Откройте её по адресу, который показывает команда propusk-agent status.",
			"The page of the agent was opened under a wrong address; use the one that propusk-agent status shows.",
			"",
		},
		{
			AgentNotNavigation, Policy,
			"Страницу агента запросил не сам человек или браузер слишком старый. Вернитесь на страницу сервиса, обновите браузер, если он старый, и начните заново.",
			"The page of the agent was not opened by a person, or the browser is too old to tell; go back to the service, update an old browser, and start again.",
			"",
		},
		{
			AgentForeignUser, Policy,
			"К агенту обратился другой пользователь этого компьютера. Запустите агент под своей учётной записью.",
			"Another user of this machine talks to the agent; start the agent under your own account.",
			"",
		},
		{
			AgentOriginForeign, Policy,
			"Форму отправила не страница агента. Вернитесь на страницу сервиса и начните заново.",
			"The form was not sent by a page of the agent; go back to the service and start again.",
			"",
		},
		{
			AgentFormStale, Conflict,
			"Форма уже была отправлена или устарела. Вернитесь к выбору сертификата и повторите.",
			"The form was sent already or is too old; go back to the choice of the certificate and repeat.",
			"",
		},
		{
			AgentVisitUnknown, NotFound,
			"Запрос на подпись уже завершён или устарел. Вернитесь на страницу сервиса и начните заново.",
			"The request for a signature is over or too old; go back to the service and start again.",
			"",
		},
		{
			AgentRequestUsed, Conflict,
			"На этот запрос уже дан ответ, второй раз он не действует. Вернитесь на страницу сервиса и начните заново.",
			"This request was answered already and is good once; go back to the service and start again.",
			"",
		},
		{
			AgentBusy, Limited,
			"Открыто слишком много запросов на подпись. Закройте лишние вкладки и повторите через несколько минут.",
			"Too many requests for signatures are open; close some tabs and try again in a few minutes.",
			"",
		},
	}
}

// agentSigningEntries is about signing.
func agentSigningEntries() []Entry {
	return []Entry{
		{
			AgentCertificateGone, NotFound,
			"Выбранного сертификата больше нет: вероятно, токен извлекли. Подключите токен и выберите сертификат снова.",
			"The chosen certificate is no longer there, its token was probably removed; connect it and choose again.",
			"",
		},
		{
			AgentKeyMissing, NotFound,
			"На токене есть сертификат, но нет его закрытого ключа. Выберите другой сертификат или подключите токен, на котором ключ создавали.",
			"The token has the certificate but not its private key; choose another certificate or connect the token that the key was made on.",
			"",
		},
		{
			AgentSignaturePIN, Credential,
			"Для подписи токен требует отдельный PIN-код подписи. Введите PIN-код токена и PIN-код подписи.",
			"The token wants a PIN of its own for signatures; enter the PIN of the token and the PIN of signatures.",
			"",
		},
		{
			AgentPINMissing, Credential,
			"PIN-код не введён. Введите PIN-код: попытка не потрачена.",
			"No PIN was entered; enter it, no try was used.",
			"",
		},
		{
			AgentGatewayKnown, Conflict,
			"Этот шлюз уже подключён, но теперь у него другие ключи. Уточните у владельца шлюза отпечаток ключа и подключите шлюз заново с --fingerprint.",
			"This gateway is enrolled and now shows other keys; ask its owner for the fingerprint and enrol it again with --fingerprint.",
			"",
		},
	}
}
