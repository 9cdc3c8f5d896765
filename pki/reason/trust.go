package reason

// Reasons about paths, revocation lists, XML documents and the list of
// accredited CAs.
const (
	// CACertExpired means that notAfter of a CA certificate of the path is in the
	// past.
	CACertExpired Code = "ca-certificate-expired"
	// CACertNotYetValid means that notBefore of a CA certificate of the path is in
	// the future.
	CACertNotYetValid Code = "ca-certificate-not-yet-valid"
	// CACertRevoked means that a CA certificate of the path was revoked.
	CACertRevoked Code = "ca-certificate-revoked"
	// IssuerNotCA means that a certificate of the path was issued with a
	// certificate that may not issue any.
	IssuerNotCA Code = "issuer-not-ca"
	// PathLengthExceeded means that more CA certificates follow one in the path
	// than it permits.
	PathLengthExceeded Code = "path-length-exceeded"
	// NameNotPermitted means that a CA issued a certificate with a name outside
	// the names it was constrained to.
	NameNotPermitted Code = "name-not-permitted"
	// ChainTooLong means that the path would be longer than we follow.
	ChainTooLong Code = "chain-too-long"
	// ChainTooComplex means that the search for a path was given up because it
	// took too many signature checks.
	ChainTooComplex Code = "chain-too-complex"

	// CertOnHold means that the CA suspended the certificate.
	CertOnHold Code = "certificate-on-hold"
	// RevocationUnknown means that there is no revocation list that covers the
	// certificate.
	RevocationUnknown Code = "revocation-unknown"
	// RevocationStale means that the revocation list is older than permitted, or
	// too young for the moment asked about.
	RevocationStale Code = "revocation-stale"
	// RevocationUnusable means that the revocation list that covers the
	// certificate cannot be relied upon.
	RevocationUnusable Code = "revocation-unusable"

	// CRLMalformed means that the bytes are not a revocation list we can read.
	CRLMalformed Code = "crl-malformed"
	// CRLTooLarge means that the revocation list exceeds a limit.
	CRLTooLarge Code = "crl-too-large"
	// CRLUnsupported means that the list contradicts itself, or
	// has an unknown critical extension or algorithm.
	CRLUnsupported Code = "crl-unsupported"
	// CRLIssuerMismatch means that the list is of another issuer, or that its
	// issuer may not sign lists.
	CRLIssuerMismatch Code = "crl-issuer-mismatch"
	// CRLSignatureBad means that the signature of the list does not verify.
	CRLSignatureBad Code = "crl-signature-bad"

	// TSLMalformed means that the document is not a list of accredited CAs we can
	// read.
	TSLMalformed Code = "tsl-malformed"
	// TSLNotVerified means that the list of accredited CAs is not signed, as a
	// whole, by its publisher.
	TSLNotVerified Code = "tsl-not-verified"
	// TSLSignerNotGiven means that nobody said whose signature the list must bear,
	// so it was read but not verified.
	TSLSignerNotGiven Code = "tsl-signer-not-given"
	// CANotListed means that the issuer's certificate is not in the list of
	// accredited CAs, though it leads to a trusted root.
	CANotListed Code = "ca-not-listed"
	// CAStatusUnknown means that the list gives the CA a status we do not know.
	CAStatusUnknown Code = "ca-status-unknown"

	// XMLMalformed means that the document is not well-formed XML.
	XMLMalformed Code = "xml-malformed"
	// XMLTooLarge means that the XML document exceeds a limit of size, depth or
	// count.
	XMLTooLarge Code = "xml-too-large"
	// XMLUnsupported means that the document uses a part of XML that is not read:
	// a DTD, an encoding other than UTF-8.
	XMLUnsupported Code = "xml-unsupported"
	// XMLNotSigned means that the document carries no XML signature.
	XMLNotSigned Code = "xml-not-signed"
	// XMLSignatureMalformed means that the Signature element is not as the
	// standard describes it.
	XMLSignatureMalformed Code = "xml-signature-malformed"
	// XMLSignatureAmbiguous means that it cannot be said without doubt what is
	// signed: several signatures, or one identifier on several elements.
	XMLSignatureAmbiguous Code = "xml-signature-ambiguous"
	// XMLSignaturePartial means that the signature does not cover the whole
	// document.
	XMLSignaturePartial Code = "xml-signature-partial"
	// XMLSignerUnknown means that the signature was made with a certificate that
	// is not among the pinned ones.
	XMLSignerUnknown Code = "xml-signer-unknown"
)

// trustEntries lists the reasons about paths, CRLs and the list of accredited CAs.
func trustEntries() []Entry {
	var all []Entry
	all = append(all, trustPathEntries()...)
	all = append(all, trustRevocationEntries()...)
	all = append(all, trustCRLEntries()...)
	all = append(all, trustListEntries()...)
	return append(all, trustXMLEntries()...)
}

func trustPathEntries() []Entry {
	return []Entry{
		{
			CACertExpired, Policy,
			"Срок действия сертификата удостоверяющего центра, выдавшего ваш сертификат, истёк. Получите новый сертификат в действующем удостоверяющем центре.",
			"A CA certificate of the chain has expired; obtain a new certificate from an active certification authority.",
			"RFC 5280, 6.1.3 (a)(2)",
		},
		{
			CACertNotYetValid, Policy,
			"Срок действия сертификата удостоверяющего центра ещё не начался. Проверьте дату и время; если они верны, обратитесь в удостоверяющий центр.",
			"A CA certificate of the chain is not valid yet; check the clock, then ask the certification authority.",
			"RFC 5280, 6.1.3 (a)(2)",
		},
		{
			CACertRevoked, Policy,
			"Сертификат удостоверяющего центра, выдавшего ваш сертификат, отозван. Получите новый сертификат в действующем удостоверяющем центре.",
			"A CA certificate of the chain has been revoked; obtain a new certificate from an active certification authority.",
			"RFC 5280, 6.1.3 (a)(3)",
		},
		{
			IssuerNotCA, Policy,
			"Сертификат выдан тем, кто не имеет права выдавать сертификаты. Получите сертификат в аккредитованном удостоверяющем центре.",
			"A certificate of the chain was issued with a certificate that is not a CA certificate; obtain one from an accredited CA.",
			"RFC 5280, 6.1.4 (k), (n)",
		},
		{
			PathLengthExceeded, Policy,
			"Удостоверяющий центр выдал сертификат подчинённому центру, не имея на это права. Получите сертификат в аккредитованном удостоверяющем центре.",
			"The chain is longer than a CA certificate in it permits; obtain a certificate from an accredited CA.",
			"RFC 5280, 6.1.4 (l), (m)",
		},
		{
			NameNotPermitted, Policy,
			"Удостоверяющий центр выдал сертификат с именем, на которое у него нет права. Обратитесь в удостоверяющий центр.",
			"A name in the certificate is outside the name constraints of a CA in the chain; ask the certification authority.",
			"RFC 5280, 6.1.3 (b), (c)",
		},
		{
			ChainTooLong, Policy,
			"Цепочка сертификатов длиннее допустимой. Получите сертификат в аккредитованном удостоверяющем центре.",
			"The certification path is longer than the limit; obtain a certificate from an accredited CA.",
			"",
		},
		{
			ChainTooComplex, Policy,
			"Цепочку сертификатов не удалось построить: вариантов слишком много. Обратитесь в службу поддержки и приложите сертификат.",
			"The search for a certification path was given up after too many signature checks; remove needless CA certificates.",
			"",
		},
	}
}

func trustRevocationEntries() []Entry {
	return []Entry{
		{
			CertOnHold, Policy,
			"Действие сертификата приостановлено удостоверяющим центром. Обратитесь в удостоверяющий центр, который его выдал.",
			"The certificate is on hold; ask the certification authority that issued it.",
			"63-ФЗ, ст. 14",
		},
		{
			RevocationUnknown, Unavailable,
			"Не удалось узнать, не отозван ли сертификат: нет списка отозванных сертификатов его удостоверяющего центра. Повторите попытку позже.",
			"It is unknown whether the certificate is revoked: no revocation list covers it; add the list of its issuer and try again.",
			"RFC 5280, 6.3",
		},
		{
			RevocationStale, Unavailable,
			"Не удалось узнать, не отозван ли сертификат: нет списка отозванных сертификатов, действующего на этот момент. Повторите попытку позже.",
			"It is unknown whether the certificate is revoked: the revocation list is not in force at this moment; fetch a fresh one and try again.",
			"RFC 5280, 6.3.3 (a)",
		},
		{
			RevocationUnusable, Unavailable,
			"Не удалось узнать, не отозван ли сертификат: список отозванных сертификатов не прошёл проверку. Повторите попытку позже.",
			"It is unknown whether the certificate is revoked: the revocation list cannot be relied upon; fetch another one and try again.",
			"RFC 5280, 6.3.3",
		},
	}
}

func trustCRLEntries() []Entry {
	return []Entry{
		{
			CRLMalformed, Malformed,
			"Файл не является списком отозванных сертификатов или повреждён. Скачайте список заново.",
			"The file is not a certificate revocation list or is damaged; download it again.",
			"RFC 5280, 5",
		},
		{
			CRLTooLarge, TooLarge,
			"Список отозванных сертификатов больше допустимого. Проверьте, тот ли файл вы загрузили.",
			"The certificate revocation list exceeds a limit; check that it is the right file.",
			"",
		},
		{
			CRLUnsupported, Unsupported,
			"Список отозванных сертификатов неизвестного вида. Скачайте обычный полный список удостоверяющего центра.",
			"The revocation list has critical parts that are not understood, or contradicts itself; use the complete list of the CA.",
			"RFC 5280, 5.2",
		},
		{
			CRLIssuerMismatch, Policy,
			"Список отозванных сертификатов выпущен не тем удостоверяющим центром. Скачайте список с сайта нужного центра.",
			"The revocation list was issued by another authority, or its issuer may not sign lists; use the right list.",
			"RFC 5280, 6.3.3 (b), (f)",
		},
		{
			CRLSignatureBad, Policy,
			"Подпись списка отозванных сертификатов неверна. Скачайте список заново.",
			"The signature of the revocation list does not verify; download the list again.",
			"RFC 5280, 6.3.3 (g)",
		},
	}
}

func trustListEntries() []Entry {
	return []Entry{
		{
			TSLMalformed, Malformed,
			"Файл не является перечнем аккредитованных удостоверяющих центров или повреждён. Скачайте перечень заново.",
			"The file is not the list of accredited certification authorities or is damaged; download it again.",
			"",
		},
		{
			TSLNotVerified, Policy,
			"Подпись перечня аккредитованных удостоверяющих центров не прошла проверку. Скачайте перечень заново и проверьте сертификат издателя.",
			"The list of accredited CAs is not signed as a whole by its publisher; download it again and check the pinned signer.",
			"63-ФЗ, ст. 8",
		},
		{
			TSLSignerNotGiven, Policy,
			"Подпись перечня не проверена: не указано, кто должен его подписывать. Укажите сертификат издателя или каталог доверенных данных.",
			"The signature of the list was not verified, because nobody said whose it must be; name the signer's certificate or a trust directory.",
			"63-ФЗ, ст. 8",
		},
		{
			CANotListed, Policy,
			"Удостоверяющий центр, выдавший сертификат, отсутствует в перечне аккредитованных. Получите сертификат в аккредитованном удостоверяющем центре.",
			"The certificate of the issuing CA is not in the list of accredited CAs; obtain a certificate from an accredited CA.",
			"63-ФЗ, ст. 11, п. 1",
		},
		{
			CAStatusUnknown, Policy,
			"Статус удостоверяющего центра в перечне аккредитованных неизвестен. Обратитесь в службу поддержки.",
			"The list of accredited CAs gives the issuing CA a status that is not understood, so the CA does not count as accredited; report it to support.",
			"63-ФЗ, ст. 11, п. 1",
		},
	}
}

func trustXMLEntries() []Entry {
	return []Entry{
		{
			XMLMalformed, Malformed,
			"Документ XML повреждён или составлен с ошибками. Получите его заново.",
			"The document is not well-formed XML; get it again.",
			"XML 1.0; Namespaces in XML 1.0",
		},
		{
			XMLTooLarge, TooLarge,
			"Документ XML больше или сложнее допустимого. Проверьте, тот ли файл вы выбрали.",
			"The XML document exceeds a limit of size, depth or count; check that it is the right file.",
			"",
		},
		{
			XMLUnsupported, Unsupported,
			"Документ XML использует возможности, которые из соображений безопасности не поддерживаются. Сохраните его в кодировке UTF-8 и без DTD.",
			"The XML document has a DTD or an encoding other than UTF-8, which are not supported; save it in UTF-8 and without a DTD.",
			"",
		},
		{
			XMLNotSigned, Policy,
			"В документе XML нет электронной подписи. Получите подписанный документ.",
			"The XML document carries no signature; get the signed document.",
			"XMLDSig, 2",
		},
		{
			XMLSignatureMalformed, Malformed,
			"Подпись внутри документа XML составлена с ошибками. Получите документ заново.",
			"The Signature element does not follow the standard or exceeds a limit; get the document again.",
			"XMLDSig, 4",
		},
		{
			XMLSignatureAmbiguous, Policy,
			"Нельзя однозначно определить, что подписано в документе XML. Получите документ с одной подписью.",
			"It is ambiguous what the XML signature covers: several signatures, or an identifier that occurs twice; get a document with one signature.",
			"XMLDSig, 8.1",
		},
		{
			XMLSignaturePartial, Policy,
			"Подпись охватывает не весь документ XML. Получите документ, подписанный целиком.",
			"The XML signature does not cover the whole document; get a document that is signed as a whole.",
			"XMLDSig, 8.1",
		},
		{
			XMLSignerUnknown, Policy,
			"Документ XML подписан сертификатом, которому эта система не доверяет. Проверьте источник документа.",
			"The XML document is signed with a certificate that is not pinned; check where the document comes from.",
			"",
		},
	}
}
