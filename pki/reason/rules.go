package reason

// Reasons about the rules for qualified certificates: why one was not applied, and
// breaches of the rarer ones.
const (
	// RuleOtherHolder means that the rule is about holders of another kind.
	RuleOtherHolder Code = "rule-other-holder"
	// RuleOtherDate means that the rule was not in force on the day that matters.
	RuleOtherDate Code = "rule-other-date"
	// RuleNothingToCheck means that the certificate has nothing that the rule is
	// about.
	RuleNothingToCheck Code = "rule-nothing-to-check"

	// CertDatesBad means that a certificate ends before it begins.
	CertDatesBad Code = "certificate-dates-bad"
	// CertNumberBad means that the serial number is absent or zero.
	CertNumberBad Code = "certificate-number-bad"
	// SignToolIncomplete means that a name or a document of the tools is absent or
	// longer than permitted.
	SignToolIncomplete Code = "sign-tool-incomplete"
	// IssuerCertificateUnnamed means that the number of the CA's own certificate is
	// not stated.
	IssuerCertificateUnnamed Code = "issuer-certificate-unnamed"
	// IdentificationMissing means that the extension identificationKind is absent
	// from a certificate that must have it.
	IdentificationMissing Code = "identification-missing"
	// INNFormOld means that the ИНН of a legal entity is written in the attribute
	// of natural persons.
	INNFormOld Code = "inn-form-old"
	// EmployeeCertificate means that a certificate of an employee is used after
	// certificates of natural persons with a power of attorney took its place.
	EmployeeCertificate Code = "employee-certificate"
	// KeyPeriodTooLong means that the private key may be used for longer than any
	// key may.
	KeyPeriodTooLong Code = "key-period-too-long"
)

func ruleEntries() []Entry {
	return append(ruleScopeEntries(), ruleBreachEntries()...)
}

func ruleScopeEntries() []Entry {
	return []Entry{
		{
			RuleOtherHolder, Policy,
			"Требование относится к владельцам другого вида. Делать ничего не нужно.",
			"The rule is about holders of another kind; nothing needs to be done.",
			"",
		},
		{
			RuleOtherDate, Policy,
			"На эту дату требование не действовало. Делать ничего не нужно.",
			"The rule was not in force on that day; nothing needs to be done.",
			"",
		},
		{
			RuleNothingToCheck, Policy,
			"В сертификате нет сведений, к которым относится требование. Делать ничего не нужно.",
			"The certificate has nothing that the rule is about; nothing needs to be done.",
			"",
		},
	}
}

func ruleBreachEntries() []Entry {
	return []Entry{
		{
			CertDatesBad, Policy,
			"Срок действия сертификата заканчивается раньше, чем начинается. Обратитесь в удостоверяющий центр за новым сертификатом.",
			"The validity of the certificate ends before it begins; ask the authority for a new certificate.",
			"63-ФЗ, ст. 17, ч. 2, п. 1",
		},
		{
			CertNumberBad, Policy,
			"У сертификата нет уникального номера. Обратитесь в удостоверяющий центр за новым сертификатом.",
			"The certificate has no unique number; ask the authority for a new certificate.",
			"63-ФЗ, ст. 17, ч. 2, п. 1",
		},
		{
			SignToolIncomplete, Policy,
			"Сведения о средствах электронной подписи или удостоверяющего центра неполны или записаны с нарушением формы. Обратитесь в удостоверяющий центр за новым сертификатом.",
			"The names of the tools or of their conformity documents are incomplete or longer than permitted; ask the authority for a new certificate.",
			"Приказ ФСБ России от 27.12.2011 № 795",
		},
		{
			IssuerCertificateUnnamed, Policy,
			"В сертификате не указан номер сертификата удостоверяющего центра. Обратитесь в удостоверяющий центр за новым сертификатом.",
			"The certificate does not state the number of the CA's own certificate; ask the authority for a new certificate.",
			"63-ФЗ, ст. 17, ч. 2, п. 6",
		},
		{
			IdentificationMissing, Policy,
			"В сертификате не указано, как удостоверяющий центр установил личность заявителя. Обратитесь в удостоверяющий центр за новым сертификатом.",
			"The extension identificationKind is absent, mandatory since 2021-09-01; ask the authority for a new certificate.",
			"Приказ ФСБ России от 27.12.2011 № 795 в ред. приказа от 29.01.2021 № 31",
		},
		{
			INNFormOld, Policy,
			"ИНН организации записан там, где с 1 сентября 2021 года указывается только ИНН физического лица. Обратитесь в удостоверяющий центр за новым сертификатом.",
			"The INN of a legal entity stands in the attribute that is, since 2021-09-01, for natural persons; ask the authority for a new certificate.",
			"Приказ ФСБ России от 27.12.2011 № 795 в ред. приказа от 29.01.2021 № 31",
		},
		{
			EmployeeCertificate, Policy,
			"Сертификаты сотрудников организаций не действуют с 1 сентября 2024 года. Подпишите документ сертификатом физического лица и приложите машиночитаемую доверенность.",
			"Certificates of employees are not in force since 2024-09-01; sign with the certificate of a natural person and a machine-readable power of attorney.",
			"63-ФЗ, ст. 17.2; 457-ФЗ от 04.08.2023",
		},
		{
			KeyPeriodTooLong, Policy,
			"Срок действия ключа электронной подписи больше трёх лет. Обратитесь в удостоверяющий центр за новым сертификатом.",
			"The usage period of the private key is longer than three years; ask the authority for a new certificate.",
			"Правила пользования СКЗИ",
		},
	}
}
