package report

import (
	"strings"

	"propusk/pki/qualified"
)

// title says in plain words what a check is about. A name that is unknown here is
// its own title.
func title(name string) Text {
	if t, ok := checkTitles()[name]; ok {
		return t
	}
	if strings.HasPrefix(name, "profile.") {
		for _, r := range qualified.Rules() {
			if r.ID == name {
				return Text(r.Title)
			}
		}
	}
	return Text{RU: name, EN: name}
}

// checkTitles names the checks of packages cms, path and validate; those of package
// qualified have their names in its table.
func checkTitles() map[string]Text {
	return map[string]Text{
		"file":    {"Файл подписи прочитан", "The signature file was read"},
		"engine":  {"Средства проверки ответили о каждой подписи, и одинаково", "What verifies signatures answered about each, and in the same way"},
		"signers": {"В файле есть подпись", "The file holds a signature"},

		"content":             {"Документ — тот самый, который подписан", "The document is the one that was signed"},
		"signed-attributes":   {"Сведения, защищённые подписью, составлены правильно", "What the signature protects is well formed"},
		"signer-certificate":  {"Сертификат подписавшего найден", "The signer's certificate was found"},
		"signature-algorithm": {"Алгоритм подписи подходит к ключу", "The algorithm of the signature fits the key"},
		"signature":           {"Подпись сделана ключом из этого сертификата", "The signature was made with the key of this certificate"},
		"signing-certificate": {"Подпись относится именно к этому сертификату", "The signature is bound to this very certificate"},
		"format":              {"Файл подписи составлен по правилам формата", "The signature file follows the rules of its format"},

		"algorithm-in-force":  {"Алгоритм подписи не выведен из действия", "The algorithm of the signature was not withdrawn"},
		"signature-policy":    {"Правила, на которые сослался подписавший, известны", "The policy that the signer named is known"},
		"unsigned-attributes": {"Сведения, добавленные к подписи позже, прочитаны", "What was added to the signature later was read"},
		"references":          {"Ссылки на доказательства соответствуют приложенным доказательствам", "The references fit the evidence that is attached"},
		"revocation-data":     {"Сведения об отзыве внутри подписи пригодны", "The revocation data inside the signature can be relied upon"},
		"time-order":          {"Время всех отметок в подписи согласуется", "The times in the signature agree"},
		"time-stamp":          {"Метка времени прочитана", "The time-stamp was read"},
		"time-stamp-form":     {"Метка времени составлена правильно", "The time-stamp is well formed"},
		"time-stamp-imprint":  {"Метка времени относится именно к этим данным", "The time-stamp is of these very data"},
		"time-stamp-name":     {"Служба времени названа в метке правильно", "The time-stamp names its authority rightly"},
		"time-stamp-purpose":  {"Сертификат службы времени предназначен для меток времени", "The certificate of the authority is for time-stamps"},
		"time-stamp-time":     {"Время метки не в будущем", "The time of the time-stamp has come"},

		"xml.structure": {"Подпись внутри документа XML составлена правильно", "The signature inside the XML document is well formed"},
		"xml.coverage":  {"Подпись охватывает весь документ XML", "The signature covers the whole XML document"},
		"xml.digest":    {"Документ XML — тот самый, который подписан", "The XML document is the one that was signed"},
		"xml.signature": {"Подпись документа XML сделана ключом из сертификата", "The signature of the XML document was made with the key of the certificate"},

		"certificate":            {"Сертификат прочитан", "The certificate was read"},
		"moment":                 {"Известен момент, на который проводится проверка", "The moment of the verification is known"},
		"chain":                  {"Цепочка сертификатов ведёт к доверенному корню", "The chain of certificates leads to a trusted root"},
		"chain.validity":         {"Сроки действия всех сертификатов цепочки соблюдены", "All certificates of the chain were within their dates"},
		"chain.authority":        {"Сертификаты выданы теми, кто имеет на это право", "The certificates were issued by those who may issue them"},
		"chain.extensions":       {"В сертификатах нет непонятных обязательных сведений", "The certificates have no mandatory parts that are not understood"},
		"chain.names":            {"Имена в сертификатах разрешены удостоверяющим центром", "The names in the certificates are permitted"},
		"revocation":             {"Сертификаты цепочки не отозваны", "No certificate of the chain was revoked"},
		"accreditation-at-issue": {"Удостоверяющий центр был аккредитован в день выдачи сертификата", "The CA was accredited on the day of issue"},
		"accreditation":          {"Аккредитация удостоверяющего центра не прекращена", "The accreditation of the CA has not ended"},
		"holder":                 {"Владелец сертификата назван однозначно", "The holder of the certificate is named without doubt"},
		"holder-kind":            {"Владелец — того вида, который здесь принимается", "The holder is of a kind that is accepted here"},
		"consistency":            {"Результаты проверок не противоречат друг другу", "The results of the checks agree"},
	}
}
