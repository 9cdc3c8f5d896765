package report

import (
	"propusk/pki/cms"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// sentences are the first sentences of the text of a document.
type sentences struct {
	passed, failed, unknown Text
	// unfit is said instead of failed when nothing is wrong but the use.
	unfit Text
}

func signatureSentences() sentences {
	return sentences{
		passed:  Text{"Подпись действительна.", "The signature is valid."},
		failed:  Text{"Подпись недействительна.", "The signature is not valid."},
		unknown: Text{"Проверить подпись до конца не удалось.", "The signature could not be verified to the end."},
		unfit:   Text{"Подпись не принята.", "The signature is not accepted."},
	}
}

func certificateSentences() sentences {
	return sentences{
		passed:  Text{"Сертификат действителен.", "The certificate is valid."},
		failed:  Text{"Сертификат недействителен.", "The certificate is not valid."},
		unknown: Text{"Проверить сертификат до конца не удалось.", "The certificate could not be verified to the end."},
		unfit:   Text{"Сертификат не подходит.", "The certificate is not of the right kind."},
	}
}

func timeStampSentences() sentences {
	bad := Text{"Метка времени ничего не доказывает.", "The time-stamp proves nothing."}
	return sentences{
		passed:  Text{"Метка времени действительна.", "The time-stamp is valid."},
		failed:  bad,
		unknown: Text{"Проверить метку времени до конца не удалось.", "The time-stamp could not be verified to the end."},
		unfit:   bad,
	}
}

// conclusionText says the conclusion and, unless all is well, the first thing
// that is wrong and what to do about it.
func conclusionText(v verdict.Verdict, s sentences) Text {
	var t Text
	switch v.Status() {
	case verdict.Passed:
		return s.passed
	case verdict.Failed:
		t = s.failed
		if why := v.Why(); why == reason.WrongHolderKind || why == reason.CertIsCA {
			t = s.unfit
		}
	default:
		t = s.unknown
	}
	if entry, ok := reason.Lookup(v.Why()); ok {
		t.RU += " " + entry.RU
		t.EN += " " + upperFirst(entry.EN)
	}
	return t
}

// upperFirst makes an English sentence begin with a capital letter.
func upperFirst(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}

// notice is what a reader must know about the engine: 63-ФЗ, ст. 11, п. 3 wants
// tools whose conformity is confirmed.
func notice(engine sigalg.Use) Text {
	switch {
	case !external(engine):
		return Text{
			RU: "Проверка выполнена программой, соответствие которой требованиям ФСБ России не подтверждено; для споров повторите её сертифицированным средством (63-ФЗ, ст. 11, п. 3).",
			EN: "The check was made by software without a certificate of conformity of the FSB of Russia; for legal disputes repeat it with a certified tool (63-FZ, Art. 11(3)).",
		}
	case engine.Fallback:
		return Text{
			RU: "Модуль PKCS#11, который должен проверять подписи, не отвечал, и вместо него их проверила программа, соответствие которой требованиям ФСБ России не подтверждено; для споров повторите проверку сертифицированным средством (63-ФЗ, ст. 11, п. 3).",
			EN: "The PKCS#11 module that has to verify signatures gave no answer, and software without a certificate of conformity of the FSB of Russia verified them in its place; for legal disputes repeat the check with a certified tool (63-FZ, Art. 11(3)).",
		}
	default:
		return Text{
			RU: "Подписи по ГОСТ Р 34.10 проверил названный здесь модуль PKCS#11: подтверждено ли его соответствие требованиям ФСБ России, скажет сертификат на него. Контрольные суммы и всё остальное вычислила программа, соответствие которой не подтверждено (63-ФЗ, ст. 11, п. 3).",
			EN: "Signatures of GOST R 34.10 were verified by the PKCS#11 module named here: whether it conforms to the demands of the FSB of Russia its certificate tells. Digests and everything else were computed by software without such a certificate (63-FZ, Art. 11(3)).",
		}
	}
}

// formatOf names the format by the level: a signature of any level of CAdES is one.
func formatOf(s validate.Signature) string {
	if s.Level == cms.Plain || s.Level == "" {
		return "CMS"
	}
	return "CAdES"
}
