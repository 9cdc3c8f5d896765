package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"propusk/certs/testpki"
)

// demoDocument is demo.json: where everything is.
type demoDocument struct {
	URLs   urls               `json:"urls"`
	People []demoPerson       `json:"people"`
	Trust  testpki.TrustFiles `json:"trust"`
	TLS    testpki.TLSFiles   `json:"tls"`
}

// writeDemoFile writes demo.json at once: whoever sees the file sees all of it.
func writeDemoFile(dir string, doc demoDocument) error {
	var text bytes.Buffer
	if err := printJSON(&text, doc); err != nil {
		return err
	}
	path := filepath.Join(dir, demoFile)
	if err := os.WriteFile(path+".tmp", text.Bytes(), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

// removeDemoFile removes demo.json if it is there.
func removeDemoFile(dir string) error {
	if err := os.Remove(filepath.Join(dir, demoFile)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// gostEngineConfig makes OpenSSL, and curl with it, load gost-engine.
const gostEngineConfig = `# OPENSSL_CONF: OpenSSL with gost-engine.
openssl_conf = openssl_init
[openssl_init]
engines = engines
[engines]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
`

// printDemo says what to open and what to try.
func printDemo(w io.Writer, o demoOptions, doc demoDocument) error {
	out := &printer{w: w}
	out.line("")
	out.line("Пропуск: демонстрационная страна работает. / Propusk: the demo country is up.")
	out.line("")
	out.line("  Откройте в браузере / open in a browser:")
	out.line("    %-34s кабинет / cabinet", doc.URLs.Cabinet)
	out.line("    %-34s проверка рабочего места / environment check", doc.URLs.Check)
	out.line("    %-34s сервис проверки подписей / verify service", doc.URLs.Public)
	out.line("    %-34s вход по сертификату ГОСТ / sign-in host", doc.URLs.SignIn)
	out.line("    %-34s агент токенов / token agent", doc.URLs.Agent)
	out.line("    %-34s состояние / health", doc.URLs.Admin+"/readyz")
	out.line("    %-34s почта: письма шлюза / mail: letters of the gateway", doc.URLs.Mailbox)
	out.line("    %-34s штампы времени / time-stamps: propusk sign --tsa", doc.URLs.TSA)
	out.line("")
	out.line("  Обычному браузеру укажите доверять / let an ordinary browser trust: %s", doc.TLS.CA)
	out.line("")
	if o.cabinetScheme() == "http" { // elsewhere the cabinet speaks no GOST, and one command is not enough
		out.line("  Войти как ИП, до приветствия кабинета / sign in as the entrepreneur, up to the greeting:")
		out.line("")
		out.line("%s", curlCommand(o, doc))
		out.line("")
	}
	out.line("  Посмотреть на рукопожатие ГОСТ / look at the GOST handshake:")
	out.line("")
	out.line("%s", opensslCommand(o, doc))
	out.line("")
	out.line("  Люди (вымышленные) и что их ждёт / people (fictional) and what awaits them:")
	out.line("")
	printPeople(out, doc.files())
	out.line("")
	printAccounts(out, doc)
	out.line("")
	out.line("  Токены людей в агенте, PIN-код / tokens of people in the agent, PIN: %s", doc.person("ip").PIN)
	out.line("")
	out.line("  Всё для программ / everything for programs: %s", filepath.Join(o.dir, demoFile))
	out.line("  Остановить / stop: Ctrl+C")
	return out.err
}

// files are those of all people.
func (d demoDocument) files() []testpki.PersonFiles {
	var all []testpki.PersonFiles
	for _, p := range d.People {
		all = append(all, p.PersonFiles)
	}
	return all
}

// printAccounts says who can sign in without a key, and how.
func printAccounts(out *printer, doc demoDocument) {
	out.line("  Вход по логину (ИНН) и паролю / sign-in by ИНН and password:")
	out.line("")
	for _, p := range doc.People {
		if p.Account == nil {
			continue
		}
		second := ""
		if p.Account.TOTP != "" {
			second = "  TOTP " + p.Account.TOTP
		}
		out.line("  %-14s %s  %s%s", p.ID, p.Account.Login, p.Account.Password, second)
	}
	out.line("  %-14s ключ есть, учётной записи нет: регистрация / a key and no account: registration", demoNewcomer)
}

// person returns the files of one person.
func (d demoDocument) person(id string) testpki.PersonFiles {
	for _, p := range d.People {
		if p.ID == id {
			return p.PersonFiles
		}
	}
	panic("propusk: no demo person " + id)
}

// curlCommand signs in and follows every redirect. The public host is reached
// over GOST TLS too, so one CA is enough.
func curlCommand(o demoOptions, doc demoDocument) string {
	ip, jar := doc.person("ip"), quote(filepath.Join(o.dir, "cookies.txt"))
	return fmt.Sprintf("OPENSSL_CONF=%s curl -sL -c %s -b %s \\\n"+
		"  --tls-max 1.2 --ciphers GOST2012-KUZNYECHIK-KUZNYECHIKOMAC --cacert %s \\\n"+
		"  --cert %s --key %s \\\n  %s/login",
		quote(o.gostConfig()), jar, jar, quote(doc.TLS.GOSTCA), quote(ip.Cert), quote(ip.Key), doc.URLs.Cabinet)
}

// opensslCommand asks the sign-in host who it sees.
func opensslCommand(o demoOptions, doc demoDocument) string {
	ip := doc.person("ip")
	host := strings.TrimPrefix(doc.URLs.SignIn, "https://")
	return fmt.Sprintf("printf 'GET /api/v1/whoami HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n' | OPENSSL_CONF=%s openssl s_client \\\n"+
		"  -connect %s -tls1_2 -cipher GOST2012-MAGMA-MAGMAOMAC -ign_eof \\\n  -CAfile %s -cert %s -key %s",
		host, quote(o.gostConfig()), host, quote(doc.TLS.GOSTCA), quote(ip.Cert), quote(ip.Key))
}

// quote makes one word of the shell out of a path.
func quote(path string) string {
	plain := func(r rune) bool {
		return r > 127 || unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("/._-+", r)
	}
	if strings.TrimFunc(path, plain) == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
