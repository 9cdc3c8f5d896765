package tokens

import (
	"os"
	"path"
)

// knownModel is a line of the table of models.
type knownModel struct {
	marks []mark
	Model
}

// models is the table of models, the first that fits first. What it says comes from
// public headers and examples of the vendors, and from runs with OpenSC, SoftHSM and the
// soft token; where only a header says so, the note does not promise more.
func models() []knownModel {
	all := russianModels()
	return append(all, otherModels()...)
}

func russianModels() []knownModel {
	return []knownModel{
		{[]mark{{library: "Propusk"}, {manufacturer: "Propusk", model: "Propusk soft"}}, Model{
			ID: "soft", Vendor: "Пропуск", RU: "Программный токен Пропуска", EN: "Propusk soft token",
			GOST256: true, GOST512: true, Agreement: AgreementFlat, KEG: true,
			MinPIN: 4, MaxPIN: 255, Tries: 10,
			Notes: []Note{{
				"Ключи лежат в файлах: кто скопирует каталог, сможет подбирать PIN-код без ограничений. Для испытаний и показа.",
				"The keys are files: whoever copies the directory can guess the PIN without a limit. For tests and demonstrations.",
			}},
		}},
		// OpenSC comes before the vendors: it shows their cards under their names.
		{[]mark{{library: "OpenSC"}, {model: "PKCS#15"}}, Model{
			ID: "opensc", Vendor: "OpenSC", RU: "Карта или токен через OpenSC", EN: "card or token through OpenSC",
			GOST256: true, SignsOnly: true, Wrapped: true, TriesByFlags: true, DataCertificates: true,
			Notes: []Note{{
				"OpenSC знает только ключи Рутокен ЭЦП на 256 бит, созданные им самим. Для токена из удостоверяющего центра возьмите библиотеку производителя.",
				"OpenSC knows only keys of 256 bits on a Rutoken ECP that it made itself; for a token of a certification authority use the library of its vendor.",
			}},
		}},
		{[]mark{{manufacturer: "Aktiv", model: "Rutoken lite"}}, Model{
			ID: "rutoken-lite", Vendor: "Актив", RU: "Рутокен Lite", EN: "Rutoken Lite", Tries: 10,
			Notes: []Note{passive},
		}},
		{[]mark{{manufacturer: "Aktiv"}, {model: "Rutoken"}}, Model{
			ID: "rutoken-ecp", Vendor: "Актив", RU: "Рутокен ЭЦП", EN: "Rutoken ECP",
			GOST256: true, GOST512: true, Agreement: AgreementFlat, KEG: true,
			MinPIN: 6, MaxPIN: 249, Tries: 10,
			Notes: []Note{containers},
		}},
		{[]mark{{manufacturer: "Aladdin", model: "JaCarta GOST 2"}, {model: "JaCarta GOST 2"}}, Model{
			ID: "jacarta-2", Vendor: "Аладдин Р.Д.", RU: "JaCarta-2 ГОСТ (Криптотокен 2)", EN: "JaCarta-2 GOST (Cryptotoken 2)",
			GOST256: true, GOST512: true, Agreement: AgreementPointers, Params512: attrGOSTParams512, SignaturePIN: true, TriesByFlags: true,
			Notes: []Note{{
				"Кроме PIN-кода пользователя бывает PIN-код подписи: он вводится отдельно при каждой подписи.",
				"Beside the PIN of the user there may be a PIN of signatures, which is entered at each of them.",
			}, containers},
		}},
		{[]mark{{model: "eToken GOST"}, {model: "JaCarta GOST"}}, Model{
			ID: "etoken-gost", Vendor: "Аладдин Р.Д.", RU: "eToken ГОСТ / JaCarta ГОСТ (Криптотокен 1)", EN: "eToken GOST / JaCarta GOST (Cryptotoken 1)",
			GOST256: true, Agreement: AgreementPointers, TriesByFlags: true,
			Notes: []Note{{
				"Криптотокен 1 создан для ГОСТ Р 34.10-2001. Сертификаты по этому стандарту больше не выпускаются.",
				"Cryptotoken 1 was made for GOST R 34.10-2001, for which no certificates are issued any more.",
			}},
		}},
		{[]mark{{manufacturer: "Aladdin R.D."}, {model: "JaCarta"}}, Model{
			ID: "jacarta-pki", Vendor: "Аладдин Р.Д.", RU: "JaCarta PKI, LT или другой апплет без ГОСТ", EN: "JaCarta PKI, LT or another applet without GOST",
			TriesByFlags: true, Notes: []Note{passive},
		}},
		{[]mark{{manufacturer: "ISBC"}, {manufacturer: "ESMART"}, {model: "ESMART"}, {library: "ISBC"}}, Model{
			ID: "esmart", Vendor: "ISBC", RU: "ESMART Token ГОСТ", EN: "ESMART Token GOST",
			GOST256: true, TriesByFlags: true,
			Notes: []Note{{
				"Рядом с isbc_pkcs11_main должны лежать модули семейств (isbc_esmart_token_mod и другие): без них токен не виден.",
				"The modules of the families (isbc_esmart_token_mod and others) must lie beside isbc_pkcs11_main: without them the token is not seen.",
			}},
		}},
	}
}

func otherModels() []knownModel {
	return []knownModel{
		{[]mark{{model: "CPPKCS"}, {library: "Crypto-Pro"}, {library: "CryptoPro"}}, Model{
			ID: "cryptopro", Vendor: "КриптоПро", RU: "Контейнеры КриптоПро CSP", EN: "containers of CryptoPro CSP",
			GOST256: true, GOST512: true, TriesByFlags: true,
			Notes: []Note{{
				"Ключи КриптоПро видны через его библиотеку libcppkcs11; нужна действующая лицензия КриптоПро CSP.",
				"Keys of CryptoPro are reached through its library libcppkcs11, which needs a licence of CryptoPro CSP.",
			}},
		}},
		{[]mark{{manufacturer: "SafeNet"}, {manufacturer: "Gemalto"}, {manufacturer: "Thales"}, {manufacturer: "Aladdin"}, {model: "eToken"}}, Model{
			ID: "etoken-pro", Vendor: "SafeNet", RU: "eToken PRO", EN: "eToken PRO", TriesByFlags: true, Notes: []Note{passive},
		}},
		{[]mark{{manufacturer: "SoftHSM"}, {model: "SoftHSM"}, {library: "SoftHSM"}}, Model{
			ID: "softhsm", Vendor: "SoftHSM", RU: "SoftHSM", EN: "SoftHSM", TriesByFlags: true,
			Notes: []Note{{
				"SoftHSM из Debian собран без ГОСТ: годится для ключей RSA и ECDSA шлюза.",
				"SoftHSM of Debian is built without GOST: it serves for RSA and ECDSA keys of the gateway.",
			}},
		}},
	}
}

// passive and containers are about where keys really are.
var (
	passive = Note{
		"Токен только хранит контейнеры: подписывает КриптоПро CSP или ViPNet CSP. Возьмите библиотеку libcppkcs11 или плагин КриптоПро.",
		"The token only stores containers, and CryptoPro CSP or ViPNet CSP signs; use the library libcppkcs11 or the plug-in of CryptoPro.",
	}
	containers = Note{
		"Ключ из ФНС чаще всего лежит на токене в контейнере КриптоПро, которого эта библиотека не видит: нужна libcppkcs11 или плагин КриптоПро.",
		"A key from the tax service is mostly in a container of CryptoPro on the token, which this library does not see: use libcppkcs11 or the plug-in of CryptoPro.",
	}
)

// Libraries returns where the installers of the vendors put their libraries on a system
// (runtime.GOOS): "linux", "windows", "darwin"; none for any other.
func Libraries(goos string) []Library {
	switch goos {
	case "linux":
		return linuxLibraries()
	case "windows":
		return windowsLibraries()
	case "darwin":
		return darwinLibraries()
	}
	return nil
}

// inLib returns the places of a file in the directories of libraries of distributions.
func inLib(file string) []string {
	var paths []string
	for _, dir := range []string{
		"/usr/lib", "/usr/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib/pkcs11",
		"/usr/lib64/pkcs11", "/usr/lib/x86_64-linux-gnu/pkcs11", "/usr/local/lib",
	} {
		paths = append(paths, path.Join(dir, file))
	}
	return paths
}

func linuxLibraries() []Library {
	return []Library{
		{"Актив", "Rutoken", append(inLib("librtpkcs11ecp.so"),
			"/opt/aktivco/rutokenecp/amd64/librtpkcs11ecp.so", "/opt/aktivco/rutokenecp/x86_64/librtpkcs11ecp.so",
			"/opt/utm/lib/librtpkcs11ecp.so", "/opt/kontur.plugin/pkcs11/librtpkcs11ecp.so")},
		{"Аладдин Р.Д.", "JaCarta", append(inLib("libjcPKCS11-2.so"), inLib("libjcPKCS11.so")...)},
		{"КриптоПро", "CryptoPro CSP", []string{
			"/opt/cprocsp/lib/amd64/libcppkcs11.so", "/opt/cprocsp/lib/amd64/libcppkcs11.so.4.0.4", "/opt/cprocsp/lib/aarch64/libcppkcs11.so",
		}},
		{"ISBC", "ESMART", inLib("libisbc_pkcs11_main.so")},
		{"SafeNet", "eToken PRO", append(inLib("libeToken.so"), inLib("libeTPkcs11.so")...)},
		{"OpenSC", "OpenSC", inLib("opensc-pkcs11.so")},
	}
}

func windowsLibraries() []Library {
	system := os.Getenv("SystemRoot")
	if system == "" {
		system = `C:\Windows`
	}
	in := func(files ...string) []string {
		for i, f := range files {
			files[i] = system + `\System32\` + f
		}
		return files
	}
	return []Library{
		{"Актив", "Rutoken", in("rtPKCS11ECP.dll")},
		{"Аладдин Р.Д.", "JaCarta", in("jcPKCS11-2.dll", "jcPKCS11.dll")},
		{"КриптоПро", "CryptoPro CSP", append(in("cppkcs11.dll"), `C:\Program Files\Crypto Pro\CSP\cppkcs11.dll`)},
		{"ISBC", "ESMART", in("isbc_pkcs11_main.dll")},
		{"SafeNet", "eToken PRO", in("eTPKCS11.dll")},
		{"OpenSC", "OpenSC", append(in("opensc-pkcs11.dll"), `C:\Program Files\OpenSC Project\OpenSC\pkcs11\opensc-pkcs11.dll`)},
	}
}

func darwinLibraries() []Library {
	return []Library{
		{"Актив", "Rutoken", []string{
			"/Library/Frameworks/rtpkcs11ecp.framework/rtpkcs11ecp", "/usr/local/lib/librtpkcs11ecp.dylib",
		}},
		{"Аладдин Р.Д.", "JaCarta", []string{"/Library/Frameworks/jcPKCS11-2.framework/jcPKCS11-2"}},
		{"КриптоПро", "CryptoPro CSP", []string{"/opt/cprocsp/lib/libcppkcs11.dylib"}},
		{"SafeNet", "eToken PRO", []string{"/Library/Frameworks/eToken.framework/Versions/Current/libeToken.dylib"}},
		{"OpenSC", "OpenSC", []string{"/usr/local/lib/pkcs11/opensc-pkcs11.so", "/Library/OpenSC/lib/opensc-pkcs11.so"}},
	}
}
