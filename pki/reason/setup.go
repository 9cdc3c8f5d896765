package reason

// Reasons about the files that an operator gives us: trust data and
// configuration. They are read by operators, not by people who sign in.
const (
	// TrustNotConfigured means that no trust data were named at all.
	TrustNotConfigured Code = "trust-not-configured"
	// TrustDirMissing means that the trust directory does not exist or cannot be
	// listed.
	TrustDirMissing Code = "trust-directory-missing"
	// TrustFileUnreadable means that a trust file cannot be opened or read, or is
	// not a regular file.
	TrustFileUnreadable Code = "trust-file-unreadable"
	// TrustFileTooLarge means that a trust file, or all of them together, exceed
	// a limit of size.
	TrustFileTooLarge Code = "trust-file-too-large"
	// TrustFileEmpty means that a trust file has no bytes in it.
	TrustFileEmpty Code = "trust-file-empty"
	// TrustTooManyFiles means that the trust data exceed a limit of count.
	TrustTooManyFiles Code = "trust-too-many-files"
	// TrustPinsMalformed means that a line of pins.txt is not a fingerprint.
	TrustPinsMalformed Code = "trust-pins-malformed"
	// TrustCertMalformed means that a trust file should hold certificates and
	// does not.
	TrustCertMalformed Code = "trust-certificate-malformed"
	// TrustNoRoots means that the trust data name no root certificate.
	TrustNoRoots Code = "trust-no-roots"
	// TrustRootNotPinned means that a root is not among the pinned fingerprints.
	TrustRootNotPinned Code = "trust-root-not-pinned"
	// TrustRootUnsuitable means that a root is not a certificate of a CA, or is
	// not signed by its own key.
	TrustRootUnsuitable Code = "trust-root-unsuitable"
	// TrustListMissing means that the list of accredited CAs was in force and is
	// now absent from the files.
	TrustListMissing Code = "trust-list-missing"
	// TrustListRollback means that the list of accredited CAs is older than the
	// one in force.
	TrustListRollback Code = "trust-list-rollback"
	// TrustCRLIssuerUnknown means that the issuer of a revocation list is not
	// among the CAs of the snapshot.
	TrustCRLIssuerUnknown Code = "trust-crl-issuer-unknown"
	// TrustCRLFuture means that a revocation list was issued in the future.
	TrustCRLFuture Code = "trust-crl-future"
	// TrustCRLRollback means that a revocation list is older than the one in
	// force.
	TrustCRLRollback Code = "trust-crl-rollback"
	// TrustCRLMissing means that a revocation list that is in force and still
	// fresh is absent from the files.
	TrustCRLMissing Code = "trust-crl-missing"
	// ConfigUnreadable means that the configuration, or a file that it names,
	// cannot be read.
	ConfigUnreadable Code = "config-unreadable"
	// ConfigInvalid means that the configuration breaks a rule.
	ConfigInvalid Code = "config-invalid"
)

// setupEntries lists the reasons about configuration and trust files.
func setupEntries() []Entry {
	return append(trustFileEntries(), append(trustChangeEntries(), configEntries()...)...)
}

// trustFileEntries lists what can be wrong with one trust file.
func trustFileEntries() []Entry {
	return []Entry{
		{
			TrustNotConfigured, Unavailable,
			"Не указано, каким корневым сертификатам доверять. Укажите каталог доверенных данных или файл корневого сертификата.",
			"No trust data were named; give a trust directory or a root certificate.",
			"",
		},
		{
			TrustDirMissing, Unavailable,
			"Каталог доверенных данных не найден или недоступен. Проверьте путь и права доступа.",
			"The trust directory does not exist or cannot be listed; check its path and permissions.",
			"",
		},
		{
			TrustFileUnreadable, Unavailable,
			"Файл доверенных данных не удалось прочитать. Проверьте путь и права доступа.",
			"A trust file cannot be read; check its path and permissions.",
			"",
		},
		{
			TrustFileTooLarge, TooLarge,
			"Файл доверенных данных больше допустимого. Проверьте, тот ли это файл.",
			"A trust file exceeds the limit of size; check that it is the right file.",
			"",
		},
		{
			TrustFileEmpty, Malformed,
			"Файл доверенных данных пуст. Загрузите его заново.",
			"A trust file is empty; download it again.",
			"",
		},
		{
			TrustTooManyFiles, TooLarge,
			"В каталоге доверенных данных слишком много файлов. Проверьте, тот ли это каталог.",
			"The trust data consist of too many files; check that it is the right directory.",
			"",
		},
		{
			TrustPinsMalformed, Malformed,
			"В файле отпечатков корневых сертификатов есть строка, которая не является отпечатком SHA-256. Исправьте её.",
			"A line of the pins file is not a SHA-256 fingerprint of 64 hexadecimal digits; correct it.",
			"",
		},
		{
			TrustCertMalformed, Malformed,
			"Файл сертификата в доверенных данных не удалось прочитать. Замените его исправным файлом.",
			"A certificate file of the trust data is malformed; replace it with a good one.",
			"RFC 5280, 4.1",
		},
		{
			TrustNoRoots, Unavailable,
			"В доверенных данных нет ни одного корневого сертификата. Добавьте корневой сертификат и его отпечаток.",
			"The trust data hold no root certificate; add a root and its pin.",
			"63-ФЗ, ст. 8",
		},
		{
			TrustRootNotPinned, Policy,
			"Отпечатка корневого сертификата нет в списке доверенных. Сверьте отпечаток с официальным источником и внесите его в список.",
			"A root certificate is not among the pinned fingerprints; compare it with the official source and pin it.",
			"",
		},
		{
			TrustRootUnsuitable, Policy,
			"Сертификат, названный корневым, не является самоподписанным сертификатом удостоверяющего центра. Замените его.",
			"A certificate given as a root is not a self-signed certificate of a certification authority; replace it.",
			"RFC 5280, 3.2",
		},
	}
}

// trustChangeEntries lists why new trust data may not replace those in force.
func trustChangeEntries() []Entry {
	return []Entry{
		{
			TrustListMissing, Unavailable,
			"Перечень аккредитованных удостоверяющих центров исчез из доверенных данных. Верните файл; действует прежний перечень.",
			"The list of accredited certification authorities has disappeared; restore the file, the previous list stays in force.",
			"63-ФЗ, ст. 8",
		},
		{
			TrustListRollback, Conflict,
			"Версия перечня аккредитованных удостоверяющих центров меньше действующей. Загрузите перечень заново; действует прежний.",
			"The version of the list of accredited certification authorities is lower than the one in force; download it again, the previous list stays in force.",
			"",
		},
		{
			TrustCRLIssuerUnknown, Policy,
			"Список отзыва выпущен удостоверяющим центром, которого нет в доверенных данных. Удалите файл или добавьте сертификат издателя.",
			"The issuer of a revocation list is not among the known certification authorities; remove the file or add the certificate of the issuer.",
			"RFC 5280, 6.3.3 (f)",
		},
		{
			TrustCRLFuture, Policy,
			"Список отзыва выпущен в будущем. Проверьте часы сервера или загрузите список заново.",
			"A revocation list was issued in the future; check the clock or download the list again.",
			"RFC 5280, 5.1.2.4",
		},
		{
			TrustCRLRollback, Conflict,
			"Список отзыва старше действующего. Загрузите его заново; действует прежний.",
			"A revocation list is older than the one in force; download it again, the previous one stays in force.",
			"RFC 5280, 5.2.3",
		},
		{
			TrustCRLMissing, Unavailable,
			"Действующий список отзыва исчез из доверенных данных. Верните файл; действует прежний список.",
			"A revocation list that is in force has disappeared; restore the file, the previous one stays in force.",
			"",
		},
	}
}

// configEntries lists what can be wrong with the configuration.
func configEntries() []Entry {
	return []Entry{
		{
			ConfigUnreadable, Unavailable,
			"Файл настроек или файл, который в нём указан, не удалось прочитать. Проверьте путь и права доступа.",
			"The configuration, or a file that it names, cannot be read; check its path and permissions.",
			"",
		},
		{
			ConfigInvalid, Malformed,
			"В файле настроек есть ошибки. Исправьте перечисленные поля; образец печатает «propusk config sample».",
			"The configuration is invalid; correct the fields that are listed, and see `propusk config sample`.",
			"",
		},
	}
}
