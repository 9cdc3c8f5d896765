package pcsc

// rows is the table of answers-to-reset. Sources: smartcard_list.txt of pcsc-tools,
// src/libopensc/card-rtecp.c of OpenSC (its masks too), and the media that CryptoPro CSP
// registers.
func rows() []row {
	return []row{
		{"3B8B015275746F6B656E20445320C1", "", RutokenECP},
		{"3B8B015275746F6B656E20454350A0", "", RutokenECP},
		{"3B8B015275746F6B656E44534254D7", "", RutokenECP},
		{"3B9C96005275746F6B656E4543507363", "00000000FFFFFFFFFFFFFFFFFFFFFFFF", RutokenECP},
		{"3B9C948011405275746F6B656E4543507363C3", "000000000000FFFFFFFFFFFFFFFFFFFFFFFF00", RutokenECP},
		{"3B9C978011405275746F6B656E4543507363C0", "", RutokenECP3},
		{"3B8C8001505C4B71A152745343778183D9", "", RutokenECP3},
		{"3B88800152745343778183206A", "00000000FFFFFFFF0000000000", RutokenECP3},
		{"3B88800152744D430081C10061", "", Rutoken2151},
		{"3B18967275746F6B656E6D", "", Rutoken2151},
		{"3B1A967275746F6B656E6D7363", "", Rutoken2151},
		{"3B781300007275746F6B656E6D", "", Rutoken2151},
		{"3B7A1300007275746F6B656E6D7363", "", Rutoken2151},
		{"3B8B01527450494E5061642020329C", "", RutokenPINPad},
		{"3B8B015275746F6B656E6C697465C2", "", RutokenLite},
		{"3B9E96005275746F6B656E4C697465534332", "00000000FFFFFFFFFFFFFFFFFFFFFFFFFFFF", RutokenLite},
		{"3B8B005275746F6B656E6C745344E3", "", RutokenLite},
		{"3B6F00FF00567275546F6B6E73302000009000", "", RutokenS},
		{"3BDC18FF8191FE1FC38073C821136601061159000128", "", JaCarta},
		{"3BDC18FF8111FE8073C82113660106013080018D", "", JaCartaLT},
		{"3BD518008131FE7D8073C82110F4", "", ETokenJava},
		{"3BD5180081313A7D8073C8211030", "", ETokenJava},
		{"3BE200FFC11031FE55C8029C", "", ETokenCardOS},
		{"3BF29800FFC11031FE55C80315", "", ETokenCardOS},
		{"3BF2180000C10A31FE55C80600", "FFFFFFFF00FFFFFFFFFFFFFF00", ETokenCardOS},
		{"3BF2180002C10A31FE58C80975", "", ETokenCardOS},
		{"3B6C000080641134014873F741C08107", "", UEC},
		{"3B7C13000080641134014873F741C08107", "", UEC},
		{"3B6C0000806411650190730000008107", "", UEC},
		{"3B7C130000806411650190730000008107", "", UEC},
		{"3B8C8001806411650190730000008107F9", "", UEC},
		{"3B7C95000045534D415254474F53543130", "", ESMARTGOST},
		{"3BBE9600004206210000000000000000009000", "", ESMART},
		{"3B9796008073F7C1808105", "", MSKey},
		{"3B9E00008031C0654D5300000072F7418107", "FFFF0000FFFFFFFFFFFF300000FFFFFFFFFF", MSKey},
		{"3B9E00008031C0654D4700000072F7418107", "FFFF0000FFFFFFFFFFFF300000FFFFFFFFFF", Magistra},
		{"3BDC18FF8191FE1FC38073C821136605036351000250", "", CryptoProFKC},
		{"3BFF9600008131FE4380318065B0845C59FB12FFFE829000FB", "", CryptoProFKC},
		{"3B88014B415A544F4B454E82", "", Kaztoken},
		{"3B8F01415642000000000000000001000000DA", "", Avest},
		{"3B8A800180641211111073C0C1801F", "", BelarusID},
	}
}

// Vendors, by the names of tokens.Library.
const (
	aktiv     = "Актив"
	aladdin   = "Аладдин Р.Д."
	isbc      = "ISBC"
	cryptopro = "КриптоПро"
)

// abouts is what there is to say of families.
func abouts() map[Family]About {
	const (
		rutokenRU = "Установите «Драйверы Рутокен» с сайта rutoken.ru: в них библиотека rtpkcs11ecp."
		rutokenEN = "Install the Rutoken drivers from rutoken.ru; they have the library rtpkcs11ecp."
		jacartaRU = "Установите «Единый Клиент JaCarta» с сайта aladdin-rd.ru: в нём библиотека jcPKCS11-2."
		jacartaEN = "Install the JaCarta Unified Client from aladdin-rd.ru; it has the library jcPKCS11-2."
		storeRU   = "Сам не подписывает: ключ на нём лежит в контейнере КриптоПро. Установите КриптоПро CSP и КриптоПро ЭЦП Browser plug-in."
		storeEN   = "It does not sign by itself: the key on it is in a container of CryptoPro. Install CryptoPro CSP and its browser plug-in."
		esmartRU  = "Установите ESMART PKI Client с сайта esmart.ru: в нём библиотека isbc_pkcs11_main."
		esmartEN  = "Install the ESMART PKI Client from esmart.ru; it has the library isbc_pkcs11_main."
		foreignRU = "Это карта другой страны: её подпись здесь не принимается."
		foreignEN = "This is a card of another country, whose signatures are not accepted here."
	)
	return map[Family]About{
		RutokenECP:    {aktiv, "Рутокен ЭЦП", "Rutoken ECP", Signs, rutokenRU, rutokenEN},
		RutokenECP3:   {aktiv, "Рутокен ЭЦП 3.0 NFC", "Rutoken ECP 3.0 NFC", Signs, rutokenRU, rutokenEN},
		Rutoken2151:   {aktiv, "Рутокен 2151", "Rutoken 2151", Signs, rutokenRU, rutokenEN},
		RutokenPINPad: {aktiv, "Рутокен PINPad", "Rutoken PINPad", Signs, rutokenRU, rutokenEN},
		RutokenLite:   {aktiv, "Рутокен Lite", "Rutoken Lite", Stores, storeRU, storeEN},
		RutokenS: {"", "Рутокен S", "Rutoken S", Stores,
			storeRU + " Нужен ещё драйвер Рутокен S.", storeEN + " It needs the driver of Rutoken S too."},
		JaCarta:      {aladdin, "JaCarta", "JaCarta", SignsByApplet, jacartaRU, jacartaEN},
		JaCartaLT:    {aladdin, "JaCarta LT", "JaCarta LT", Stores, storeRU, storeEN},
		ETokenJava:   {aladdin, "eToken (Java)", "eToken (Java)", SignsByApplet, jacartaRU, jacartaEN},
		ETokenCardOS: {"", "eToken PRO", "eToken PRO", Stores, storeRU, storeEN},
		UEC: {"", "УЭК — универсальная электронная карта", "UEC, the universal electronic card", Signs,
			"Установите «КриптоПро УЭК CSP» и КриптоПро ЭЦП Browser plug-in: сертификат карты работает через него. Своей библиотеки PKCS#11 у карты нет.",
			"Install CryptoPro UEC CSP and the CryptoPro browser plug-in: the certificate of the card works through it. The card has no PKCS#11 library of its own."},
		ESMARTGOST: {isbc, "ESMART Token ГОСТ", "ESMART Token GOST", Signs, esmartRU, esmartEN},
		ESMART:     {isbc, "ESMART Token", "ESMART Token", Stores, storeRU, storeEN},
		MSKey:      {"", "MS_KEY", "MS_KEY", Stores, storeRU, storeEN},
		Magistra:   {"", "Магистра", "Magistra", Stores, storeRU, storeEN},
		CryptoProFKC: {cryptopro, "Карта КриптоПро ФКН", "CryptoPro FKC card", Signs,
			"Установите КриптоПро CSP: в нём библиотека cppkcs11.", "Install CryptoPro CSP; it has the library cppkcs11."},
		Kaztoken:  {"", "KAZTOKEN", "KAZTOKEN", SigningUnknown, foreignRU, foreignEN},
		Avest:     {"", "Авест AvBign", "Avest AvBign", SigningUnknown, foreignRU, foreignEN},
		BelarusID: {"", "ID-карта Республики Беларусь", "ID card of Belarus", SigningUnknown, foreignRU, foreignEN},
	}
}
