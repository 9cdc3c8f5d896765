package reason

// Reasons about trust data that are fetched over the network. They are read by
// operators, in logs, metrics and on the administrative listener.
const (
	// FetchURLNotAllowed means that an address is not http or https, has a user,
	// or names a host or port that the configuration does not allow.
	FetchURLNotAllowed Code = "fetch-url-not-allowed"
	// FetchAddressNotAllowed means that the name of a host leads to an address that
	// is not public: of this machine, of a private network or reserved.
	FetchAddressNotAllowed Code = "fetch-address-not-allowed"
	// FetchFailed means that the server could not be reached or the answer broke
	// off.
	FetchFailed Code = "fetch-failed"
	// FetchTimeout means that the server did not finish its answer in time.
	FetchTimeout Code = "fetch-timeout"
	// FetchRefused means that the server answered with another status than success.
	FetchRefused Code = "fetch-refused"
	// FetchTooLarge means that the answer exceeds the limit of its kind.
	FetchTooLarge Code = "fetch-too-large"
	// FetchEncoded means that the answer is compressed although that was not asked
	// for.
	FetchEncoded Code = "fetch-encoded"
	// FetchEmpty means that the answer has no bytes.
	FetchEmpty Code = "fetch-empty"
	// FetchHostResting means that the server failed several times in a row and is
	// not asked for a while.
	FetchHostResting Code = "fetch-host-resting"
	// TrustCRLExpired means that a revocation list that was offered is past its
	// nextUpdate or does not say when the next one is due.
	TrustCRLExpired Code = "trust-crl-expired"
	// TrustNotFetched means that the configuration does not say that trust data are
	// to be fetched.
	TrustNotFetched Code = "trust-not-fetched"
	// TrustListFuture means that a list of accredited CAs that was offered is dated
	// in the future.
	TrustListFuture Code = "trust-list-future"
	// TrustStateDamaged means that a file of the state directory is not what was
	// written there.
	TrustStateDamaged Code = "trust-state-damaged"
	// TrustStateUnwritable means that the state directory cannot be written.
	TrustStateUnwritable Code = "trust-state-unwritable"
)

// refreshEntries lists the reasons about fetching.
func refreshEntries() []Entry {
	return append(fetchEntries(), stateEntries()...)
}

func fetchEntries() []Entry {
	return []Entry{
		{
			FetchURLNotAllowed, Policy,
			"По этому адресу система не обращается: он не входит в список разрешённых. Добавьте узел в trust.refresh.hosts, если доверяете ему.",
			"The address is not among those that may be asked; add its host to trust.refresh.hosts if it is right.",
			"",
		},
		{
			FetchAddressNotAllowed, Policy,
			"Имя узла указывает на внутренний адрес, к которому система не обращается. Проверьте DNS.",
			"The name of the host leads to an address of a private or reserved network; check the DNS.",
			"RFC 6890",
		},
		{
			FetchFailed, Unavailable,
			"Не удалось получить данные: сервер недоступен или оборвал ответ. Повторите попытку позже.",
			"The server cannot be reached or broke off its answer; try again later.",
			"",
		},
		{
			FetchTimeout, Unavailable,
			"Сервер не ответил вовремя. Повторите попытку позже.",
			"The server did not finish its answer in time; try again later.",
			"",
		},
		{
			FetchRefused, Unavailable,
			"Сервер ответил отказом. Проверьте адрес и повторите попытку позже.",
			"The server did not answer with success; check the address and try again later.",
			"RFC 9110, 15",
		},
		{
			FetchTooLarge, TooLarge,
			"Ответ сервера больше допустимого. Проверьте, тот ли это адрес.",
			"The answer of the server exceeds the limit; check that it is the right address.",
			"",
		},
		{
			FetchEncoded, Unsupported,
			"Сервер прислал сжатый ответ, хотя его об этом не просили. Сообщите владельцу сервера.",
			"The server compressed its answer although that was not asked for; tell the owner of the server.",
			"RFC 9110, 12.5.3",
		},
		{
			FetchEmpty, Malformed,
			"Ответ сервера пуст. Повторите попытку позже.",
			"The answer of the server is empty; try again later.",
			"",
		},
		{
			FetchHostResting, Unavailable,
			"Сервер несколько раз подряд не ответил, и пауза ещё не прошла. Повторите попытку позже.",
			"The server failed several times in a row and is not asked for a while; try again later.",
			"",
		},
	}
}

func stateEntries() []Entry {
	return []Entry{
		{
			TrustCRLExpired, Policy,
			"Полученный список отзыва уже не действует. Повторите попытку позже; действует прежний.",
			"The revocation list that was fetched is past its nextUpdate; try again later, the previous one stays in force.",
			"RFC 5280, 5.1.2.5",
		},
		{
			TrustNotFetched, Conflict,
			"Загрузка доверенных данных по сети не настроена. Укажите trust.state_dir и trust.refresh в файле настроек.",
			"Trust data are not fetched over the network; set trust.state_dir and trust.refresh in the configuration.",
			"",
		},
		{
			TrustListFuture, Policy,
			"Полученный перечень аккредитованных удостоверяющих центров датирован будущим. Проверьте часы сервера; действует прежний перечень.",
			"The list of accredited certification authorities that was fetched is dated in the future; check the clock, the previous one stays in force.",
			"",
		},
		{
			TrustStateDamaged, Malformed,
			"Файл каталога состояния повреждён и отложен. Ничего делать не нужно: данные будут получены заново.",
			"A file of the state directory is damaged and was set aside; nothing needs to be done, the data will be fetched again.",
			"",
		},
		{
			TrustStateUnwritable, Unavailable,
			"В каталог состояния не удалось записать. Проверьте место на диске и права доступа.",
			"The state directory cannot be written; check free space and permissions.",
			"",
		},
	}
}
