package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"
	"go.yaml.in/yaml/v3"

	"propusk/certs/testpki"
	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/config"
	"propusk/server/factor"
	"propusk/server/mail/mailbox"
	"propusk/server/password"
	"propusk/server/store"
)

// demoNewcomer is who has a key and no account yet.
const demoNewcomer = "newcomer"

// demoMailLogin is the name of the gateway at the post office of the demo.
const demoMailLogin = "propusk"

// demoServices is what the services of the demo cabinet want.
const demoServices = `# What services want of people: open, password, 2fa, mobile or qes.
clients:
  cabinet: password # to get in at all
services:
  - id: news
    client: cabinet
    name: {ru: Новости и сроки уплаты, en: News and due dates}
    level: open
  - id: debts
    client: cabinet
    name: {ru: Начисления и задолженность, en: Charges and debts}
    level: password
  - id: statements
    client: cabinet
    name: {ru: Справки и выписки, en: Statements}
    level: 2fa
    kinds: {ul: qes}
  - id: declarations
    client: cabinet
    name: {ru: Заявления и декларации, en: Applications and declarations}
    level: qes
`

// demoAccount is how a person of the demo signs in without a key.
type demoAccount struct {
	// Login is the ИНН.
	Login    string `json:"login"`
	Password string `json:"password"`
	// TOTP is the secret of the generator of codes, base 32; empty if there is none.
	TOTP string `json:"totp,omitempty"`
	// Recovery are codes on paper, each good once.
	Recovery []string `json:"recovery,omitempty"`
	Email    string   `json:"email"`
	// CodeWord is what recovery asks for.
	CodeWord string `json:"code_word"`
}

// demoPerson is a person of demo.json.
type demoPerson struct {
	testpki.PersonFiles
	// Account is nil for people without one.
	Account *demoAccount `json:"account,omitempty"`
}

// demoAccounts are the people with accounts, and what they are told at the start. The second
// factor of the first shows what it is like, the second signs in by a password alone.
func demoAccounts() map[string]demoAccount {
	return map[string]demoAccount{
		"ip":    {Password: "Zelenyj-Slon-41", TOTP: "wanted", Email: "primer@mail.example", CodeWord: "апельсин"},
		"ip512": {Password: "Sinij-Most-4102", Email: "obraztsova@mail.example", CodeWord: "антоновка"},
	}
}

// smtpAddress is where the post office takes letters, on this machine.
func (o demoOptions) smtpAddress() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(o.portBase+demoMailPort))
}

// file is a file of the demo.
func (o demoOptions) file(name ...string) string {
	return filepath.Join(append([]string{o.dir}, name...)...)
}

// keepAccounts adds accounts, and what belongs to them, to the configuration.
func (o demoOptions) keepAccounts(c *config.Config) {
	c.Accounts = config.Accounts{Path: o.file("accounts.db"), Secret: o.file("accounts.hex")}
	c.Levels.Path = o.file("services.yaml")
	c.Registration.Register.File = o.file("register.jsonl")
	c.Mail.Server, c.Mail.Security, c.Mail.CA = o.smtpAddress(), config.MailSTARTTLS, o.file("tls", "ca.pem")
	c.Mail.Login, c.Mail.PasswordFile = demoMailLogin, o.file("mail.hex")
	c.Mail.From, c.Mail.Poll = "no-reply@propusk.example", time.Second
}

// forgetAccounts removes the accounts of another country: their people are others.
func (d *demoRun) forgetAccounts() error {
	var errs []error
	for _, name := range []string{"accounts.db", "accounts.db-wal", "accounts.db-shm", "accounts.json"} {
		if err := os.Remove(d.options.file(name)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// accounts makes the files that accounts need, opens the post office, and gives people
// accounts unless they have them from the run before.
func (d *demoRun) accounts(ctx context.Context) error {
	for _, name := range []string{"accounts.hex", "mail.hex"} {
		if err := secretFile(d.options.file(name)); err != nil {
			return err
		}
	}
	if err := errors.Join(d.writeRegister(), os.WriteFile(d.options.file("services.yaml"), []byte(demoServices), 0o644)); err != nil {
		return err
	}
	d.config.Login.DemoINN = d.person("ip512").INN
	if err := d.writeConfig(); err != nil {
		return err
	}
	if err := d.openMailbox(); err != nil {
		return err
	}
	known, err := d.knownAccounts()
	if err != nil || known {
		return err
	}
	if err := d.forgetAccounts(); err != nil {
		return err
	}
	return d.seed(ctx)
}

// person returns a person of the country.
func (d *demoRun) person(id string) testpki.PersonFiles {
	return demoDocument{People: d.people()}.person(id)
}

// people are those of the country with their accounts. A newcomer has none, so that a
// sign-in leads to registration.
func (d *demoRun) people() []demoPerson {
	var all []demoPerson
	for _, p := range d.manifest.People {
		one := demoPerson{PersonFiles: p}
		if a, ok := d.seeds[p.ID]; ok {
			one.Account = &a
		}
		if p.ID == demoNewcomer {
			one.Expect = string(reason.AccountUnknown)
		}
		all = append(all, one)
	}
	return all
}

// secretFile makes a file with 32 random bytes in hexadecimal, once.
func secretFile(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	var secret [32]byte
	rand.Read(secret[:])
	return os.WriteFile(path, []byte(hex.EncodeToString(secret[:])+"\n"), 0o600)
}

// writeRegister writes the register of entrepreneurs, which has everybody with a good
// certificate.
func (d *demoRun) writeRegister() error {
	var text bytes.Buffer
	for i, p := range d.manifest.People {
		if p.Expect != "ok" || p.OGRNIP == "" {
			continue
		}
		line, err := json.Marshal(map[string]string{
			"inn": p.INN, "ogrnip": p.OGRNIP, "name": p.Name, "born": fmt.Sprintf("1980-01-%02d", i+1), "document": fmt.Sprintf("00 00 %06d", i+1),
		})
		if err != nil {
			return err
		}
		text.Write(append(line, '\n'))
	}
	return os.WriteFile(d.options.file("register.jsonl"), text.Bytes(), 0o600)
}

// demoConfig is the configuration of the gateway of the demo, for commands that want one:
// propusk account, propusk ticket.
const demoConfig = "propusk.yaml"

func (d *demoRun) writeConfig() error {
	text, err := yaml.Marshal(d.config)
	if err != nil {
		return err
	}
	return os.WriteFile(d.options.file(demoConfig), text, 0o600)
}

// openMailbox makes the post office, with the certificate that the hosts of the demo have.
func (d *demoRun) openMailbox() error {
	pair, err := tls.LoadX509KeyPair(d.config.Public.TLS.Certificate, d.config.Public.TLS.Key)
	if err != nil {
		return err
	}
	secret, err := os.ReadFile(d.config.Mail.PasswordFile)
	if err != nil {
		return err
	}
	d.mailbox = mailbox.New(mailbox.Options{
		TLS:   &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		Login: demoMailLogin, Password: strings.TrimSpace(string(secret)),
	})
	return nil
}

// knownAccounts reads what the run before has given to people, and reports whether the
// accounts are still there.
func (d *demoRun) knownAccounts() (bool, error) {
	if _, err := os.Stat(d.config.Accounts.Path); err != nil {
		return false, nil
	}
	text, err := os.ReadFile(d.options.file("accounts.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, json.Unmarshal(text, &d.seeds)
}

// seed gives people accounts, and writes down what they are told at the end, so that a run
// that was broken off begins anew.
func (d *demoRun) seed(ctx context.Context) error {
	secret, err := os.ReadFile(d.config.Accounts.Secret)
	if err != nil {
		return err
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(secret)))
	if err != nil {
		return fmt.Errorf("%s: %w", d.config.Accounts.Secret, err)
	}
	sealer, err := account.NewSealer(raw)
	if err != nil {
		return err
	}
	db, err := store.Open(d.config.Accounts.Path)
	if err != nil {
		return err
	}
	d.seeds = make(map[string]demoAccount)
	for id, told := range demoAccounts() {
		if err := d.seedPerson(ctx, db, sealer, id, told); err != nil {
			return errors.Join(fmt.Errorf("account of %s: %w", id, err), db.Close())
		}
	}
	if err := db.Close(); err != nil {
		return err
	}
	text, err := json.Marshal(d.seeds)
	if err != nil {
		return err
	}
	return os.WriteFile(d.options.file("accounts.json"), text, 0o600)
}

// seedPerson gives a person an account as registration would leave it.
func (d *demoRun) seedPerson(ctx context.Context, db store.Store, sealer *account.Sealer, id string, told demoAccount) error {
	p, now := d.person(id), time.Now()
	file, err := os.ReadFile(p.Cert)
	if err != nil {
		return err
	}
	cert, err := gostx509.ParseAny(file)
	if err != nil {
		return err
	}
	who, err := cert.Identity()
	if err != nil {
		return err
	}
	c := d.config.Login
	hasher, err := password.New(password.Options{
		Params: password.Params{Memory: uint32(c.HashMemory), Time: uint32(c.HashPasses)}, //nolint:gosec // the defaults
		Pepper: password.Pepper(sealer), Concurrent: 1, Waiting: 1,
	})
	if err != nil {
		return err
	}
	hash, err := hasher.Hash(ctx, told.Password)
	if err != nil {
		return err
	}
	word, err := hasher.Hash(ctx, told.CodeWord)
	if err != nil {
		return err
	}
	self := account.Taxpayer{ID: account.NewName(), Kind: person.Person, INN: who.INN, Name: who.Name}
	a := account.Account{
		ID: account.NewID(), Identity: who, Taxpayers: []account.Taxpayer{account.TaxpayerOf(who), self}, State: account.Active,
		Email: person.NewEmail(told.Email), EmailConfirmed: now, CodeWord: word, Language: "ru", Registered: now, Origin: account.ByDemo,
	}
	factors := factor.New(factor.Options{Sealer: sealer, Issuer: d.config.Challenge.Name, Now: time.Now, CodeLife: c.CodeLife})
	told.Login = p.INN
	err = db.Update(ctx, func(tx store.Tx) error {
		one := a // it may run again
		if err := tx.PutAccount(&one); err != nil {
			return err
		}
		key := account.Key{SHA256: cert.SHA256(), Account: a.ID, DER: cert.Raw, NotAfter: cert.NotAfter, Bound: now, State: account.GoodKey, Kind: who.Kind}
		if err := errors.Join(tx.PutKey(key), tx.PutPassword(account.Password{Account: a.ID, Hash: hash, Set: now})); err != nil {
			return err
		}
		if told.TOTP == "" {
			return nil
		}
		return enrol(tx, factors, a.ID, &told)
	})
	d.seeds[id] = told
	return err
}

// enrol gives an account a generator of codes, as a person does with his telephone. The code
// that confirms it is the one before, so that the one that it shows is good at once.
func enrol(tx store.Tx, factors *factor.Keeper, id account.ID, told *demoAccount) error {
	proposed, err := factors.Propose(tx, id, told.Login)
	if err != nil {
		return err
	}
	told.TOTP = strings.ReplaceAll(proposed.Secret, " ", "")
	for range 2 { // a code may end between the two lines
		code, err := totp.GenerateCode(told.TOTP, time.Now().Add(-totpPeriod))
		if err != nil {
			return err
		}
		recovery, ok, err := factors.Confirm(tx, id, code)
		if err != nil || ok {
			told.Recovery = recovery
			return err
		}
	}
	return errors.New("the first code was wrong")
}

// totpPeriod is how long a code is shown.
const totpPeriod = 30 * time.Second
