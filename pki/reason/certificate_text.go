package reason

func certificateFormEntries() []Entry {
	return []Entry{
		{
			NoCertificate, Credential,
			"Сертификат не предъявлен. Подключите носитель с ключом электронной подписи, закройте все окна браузера, откройте страницу входа снова и выберите сертификат.",
			"No certificate was presented; insert the token, close all browser windows, open the sign-in page again and choose the certificate.",
			"63-ФЗ, ст. 11",
		},
		{
			CertMalformed, Malformed,
			"Файл или сертификат не удалось прочитать: это не сертификат X.509. Выгрузите сертификат заново в файл .cer и повторите.",
			"The certificate cannot be read: it is not a well-formed X.509 certificate; export it again as a .cer file and retry.",
			"RFC 5280, 4.1",
		},
		{
			CertTooLarge, TooLarge,
			"Сертификат слишком велик или слишком сложен. Проверьте, что выбран один сертификат, а не архив или контейнер.",
			"The certificate exceeds the limits of size or complexity; make sure that a single certificate was given.",
			"",
		},
		{
			CertExpired, Policy,
			"Срок действия сертификата истёк. Получите новый сертификат в удостоверяющем центре.",
			"The certificate has expired; obtain a new one from the certification authority.",
			"63-ФЗ, ст. 11, п. 2",
		},
		{
			CertNotYetValid, Policy,
			"Срок действия сертификата ещё не наступил. Проверьте дату и время на компьютере или дождитесь начала срока.",
			"The certificate is not valid yet; check the clock or wait until its validity begins.",
			"63-ФЗ, ст. 11, п. 2",
		},
		{
			CertRevoked, Policy,
			"Сертификат отозван удостоверяющим центром. Получите новый сертификат.",
			"The certificate was revoked by its certification authority; obtain a new one.",
			"63-ФЗ, ст. 14, ч. 6.1",
		},
		{
			CertSignatureBad, Policy,
			"Подпись удостоверяющего центра под сертификатом неверна: сертификат повреждён или подделан. Выгрузите его заново или обратитесь в удостоверяющий центр.",
			"The signature of the certification authority under the certificate does not verify: the certificate is damaged or forged; export it again or ask the authority.",
			"RFC 5280, 6.1.3 (a)(1)",
		},
		{
			CertAlgorithm, Policy,
			"Сертификат подписан алгоритмом, который не допускается. Получите новый сертификат по ГОСТ Р 34.10-2012.",
			"The certificate is signed with an algorithm that is not allowed; obtain a certificate under GOST R 34.10-2012.",
			"RFC 9215, 2",
		},
		{
			CertKeyUnsupported, Unsupported,
			"Ключ проверки в сертификате неизвестного вида. Используйте сертификат с ключом по ГОСТ Р 34.10-2012.",
			"The public key of the certificate is of an unsupported kind; use a certificate with a GOST R 34.10-2012 key.",
			"RFC 9215, 4",
		},
		{
			CertCriticalExtension, Policy,
			"В сертификате есть обязательное расширение, которое система не умеет проверять. Обратитесь в удостоверяющий центр за сертификатом для электронной подписи.",
			"The certificate carries a critical extension that is not supported; ask the authority for a certificate for electronic signatures.",
			"RFC 5280, 4.2",
		},
	}
}

func certificateTrustEntries() []Entry {
	return []Entry{
		{
			UnknownCA, Policy,
			"Сертификат выдан неизвестным удостоверяющим центром. Используйте сертификат аккредитованного удостоверяющего центра, например УЦ ФНС России.",
			"The certificate leads to no trusted root; use a certificate of an accredited certification authority.",
			"63-ФЗ, ст. 11, п. 1",
		},
		{
			CANotAccredited, Policy,
			"Удостоверяющий центр, выдавший сертификат, не аккредитован. Получите новый сертификат в аккредитованном удостоверяющем центре, например в УЦ ФНС России.",
			"The certification authority is not accredited, or was not on the day of issue; obtain a certificate from an accredited one.",
			"63-ФЗ, ст. 11, п. 1; ст. 17",
		},
		{
			NotQualified, Policy,
			"Сертификат не является квалифицированным. Получите квалифицированный сертификат в аккредитованном удостоверяющем центре.",
			"The certificate is not a qualified one; obtain a qualified certificate from an accredited certification authority.",
			"63-ФЗ, ст. 17",
		},
	}
}

func certificateHolderEntries() []Entry {
	return []Entry{
		{
			WrongHolderKind, Policy,
			"Сертификат выдан владельцу другого вида и не подходит для этого кабинета. Выберите сертификат индивидуального предпринимателя или войдите в свой кабинет.",
			"The holder of the certificate is of a kind that this service does not serve; choose another certificate or go to the matching cabinet.",
			"Приказ ФНС России от 08.04.2013 № ММВ-7-4/142@",
		},
		{
			HolderUnclear, Policy,
			"По сертификату нельзя понять, кому он выдан: нет ИНН, ОГРН, ОГРНИП или СНИЛС. Обратитесь в удостоверяющий центр за новым сертификатом.",
			"The identifiers of the subject do not tell what kind of holder it is; ask the authority for a new certificate.",
			"63-ФЗ, ст. 17, ч. 2",
		},
		{
			HolderAmbiguous, Policy,
			"В сертификате один и тот же реквизит указан дважды с разными значениями. Обратитесь в удостоверяющий центр за новым сертификатом.",
			"An identifier occurs more than once in the subject with different values; ask the authority for a new certificate.",
			"Приказ ФСБ России от 27.12.2011 № 795",
		},
		{
			IdentifierBad, Policy,
			"ИНН, ОГРН, ОГРНИП или СНИЛС записан с ошибкой: не сходится длина или контрольные цифры. Проверьте число; если ошибка в сертификате, обратитесь в удостоверяющий центр.",
			"An identifier (INN, OGRN, OGRNIP or SNILS) has a wrong length or wrong check digits; correct it, or ask the authority for a new certificate.",
			"Приказ ФСБ России от 27.12.2011 № 795",
		},
		{
			AttributeMissing, Policy,
			"В сертификате нет обязательных сведений о владельце. Обратитесь в удостоверяющий центр за новым сертификатом.",
			"A mandatory attribute of the subject is absent; ask the authority for a new certificate.",
			"63-ФЗ, ст. 17, ч. 2",
		},
		{
			PersonINNMissing, Policy,
			"В сертификате нет ИНН физического лица, а с 1 июля 2015 года он обязателен. Получите новый сертификат с ИНН.",
			"The certificate was issued since 2015-07-01 without the INN of the natural person; obtain a new one that has it.",
			"Приказ ФСБ России от 27.12.2011 № 795",
		},
		{
			IssuerNotFNS, Policy,
			"С 1 января 2022 года сертификаты предпринимателей и руководителей организаций выдаёт только УЦ ФНС России. Получите сертификат в налоговой инспекции или у доверенного лица УЦ ФНС России.",
			"Since 2022-01-01 certificates of entrepreneurs and heads of companies are issued only by the CA of the Federal Tax Service; obtain one there.",
			"63-ФЗ, ст. 17.2",
		},
		{
			CertIsCA, Policy,
			"Это сертификат удостоверяющего центра, а не владельца. Выберите личный сертификат.",
			"This is a certificate of a certification authority, not of a holder; choose a personal certificate.",
			"RFC 5280, 4.2.1.9",
		},
	}
}

func certificateProfileEntries() []Entry {
	return []Entry{
		{
			PolicyClassMissing, Policy,
			"В сертификате не указан класс средства электронной подписи КС1. Получите квалифицированный сертификат.",
			"The certificate policies do not name the class KC1 of signature tools; obtain a qualified certificate.",
			"Приказ ФСБ России от 27.12.2011 № 795, п. 20",
		},
		{
			PolicyClassGap, Policy,
			"Классы средств электронной подписи указаны в сертификате с пропуском. Обратитесь в удостоверяющий центр за новым сертификатом.",
			"The classes of signature tools in the certificate policies are not cumulative; ask the authority for a new certificate.",
			"Приказ ФСБ России от 27.12.2011 № 795, п. 20",
		},
		{
			SubjectSignToolMissing, Policy,
			"В сертификате не указано средство электронной подписи владельца. Получите квалифицированный сертификат.",
			"The extension subjectSignTool is absent; obtain a qualified certificate.",
			"63-ФЗ, ст. 17, ч. 2, п. 5",
		},
		{
			IssuerSignToolMissing, Policy,
			"В сертификате не указаны средства удостоверяющего центра. Получите квалифицированный сертификат.",
			"The extension issuerSignTool is absent; obtain a qualified certificate.",
			"63-ФЗ, ст. 17, ч. 2, п. 5",
		},
		{
			KeyUsageUnsuitable, Policy,
			"Ключ этого сертификата не предназначен для электронной подписи. Выберите другой сертификат.",
			"The key usage of the certificate does not allow signatures; choose another certificate.",
			"RFC 5280, 4.2.1.3",
		},
		{
			KeyPeriodMissing, Policy,
			"В сертификате не указан срок действия ключа электронной подписи. Получите новый сертификат.",
			"The certificate does not state the usage period of the private key; obtain a new one.",
			"Приказ ФСБ России от 27.12.2011 № 795",
		},
		{
			KeyPeriodNotStarted, Policy,
			"Срок действия ключа электронной подписи ещё не начался. Проверьте дату и время на компьютере или повторите через несколько минут.",
			"The usage period of the private key has not begun; check the clock or retry in a few minutes.",
			"RFC 3280, 4.2.1.4",
		},
		{
			KeyPeriodOver, Policy,
			"Срок действия ключа электронной подписи истёк, хотя сертификат ещё действует. Продлить ключ нельзя; получите новый сертификат.",
			"The usage period of the private key is over although the certificate is still valid; obtain a new certificate.",
			"RFC 3280, 4.2.1.4",
		},
		{
			KeyNotGOST2012, Policy,
			"Ключ сертификата не соответствует ГОСТ Р 34.10-2012. Получите новый сертификат.",
			"The key of the certificate is not a GOST R 34.10-2012 key; obtain a new certificate.",
			"ГОСТ Р 34.10-2012",
		},
		{
			IdentificationUnknown, Policy,
			"В сертификате указан неизвестный способ идентификации заявителя. Обратитесь в удостоверяющий центр.",
			"The extension identificationKind has an unknown value; ask the certification authority.",
			"Приказ ФСБ России от 27.12.2011 № 795",
		},
	}
}
