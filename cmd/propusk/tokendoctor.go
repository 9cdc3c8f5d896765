package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"propusk/pki/reason"
	"propusk/tokens"
)

// newTokenDoctorCommand returns `propusk token doctor`.
func newTokenDoctorCommand() *cobra.Command {
	var o tokenOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor [--module FILE]",
		Short: "Что не так с токеном и что делать / what is wrong with a token, and what to do",
		Long: "Examines a PKCS#11 library and a token: whether the library loads, what it and the token are, what they can do, how the PIN\n" +
			"stands. With --pin-file it logs in, once, signs, looks whether the bytes of the signature are in the right order, measures the\n" +
			"speed, lets the token verify and agree on a key. Nothing is written to the token.\n\n" +
			"Without --module the readers and the libraries that are installed are examined, each without a PIN.\n\n" +
			"Exit codes: 0 all is well, 1 something is wrong, 2 something could not be examined, 3 usage or I/O error.",
		Example: "  propusk token doctor\n" +
			"  propusk token doctor --module /usr/lib/librtpkcs11ecp.so --pin-file -",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := &doctor{o: &o, cmd: cmd, now: time.Now(), open: func(path string) (*tokens.Module, error) { return tokens.Open(path) }}
			return d.run(cmd.Context(), asJSON)
		},
	}
	o.add(cmd)
	cmd.Flags().StringVar(&o.keyID, "key-id", "", "CKA_ID ключа, если их несколько / CKA_ID of the key, if there are several")
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// health is what a finding means.
type health string

// The meanings, from good to bad.
const (
	healthy   health = "ok"
	noted     health = "note"    // worth knowing, and no fault
	unknown   health = "unknown" // could not be looked at
	unhealthy health = "problem"
)

// finding is one thing that was looked at.
type finding struct {
	Check  string      `json:"check"` // "library", "token", "pin", "mechanisms", "sign", …
	Health health      `json:"health"`
	Code   reason.Code `json:"code,omitempty"`
	RU     string      `json:"ru"`
	EN     string      `json:"en"`
	Detail string      `json:"detail,omitempty"` // technical, in English
}

// examination is the answer of `propusk token doctor`: of one library.
type examination struct {
	Module   string     `json:"module,omitempty"`
	Library  string     `json:"library,omitempty"` // who made it, and its version
	Token    *tokenLine `json:"token,omitempty"`
	Findings []finding  `json:"findings"`

	SignaturesPerSecond float64 `json:"signatures_per_second,omitempty"`
}

// doctor examines libraries.
type doctor struct {
	o   *tokenOptions
	cmd *cobra.Command
	now time.Time

	open func(path string) (*tokens.Module, error)

	all []*examination
	*examination
}

// begin starts the examination of a library, or of the machine if the path is empty.
func (d *doctor) begin(path string) {
	d.examination = &examination{Module: path, Findings: []finding{}}
	d.all = append(d.all, d.examination)
}

// say adds a finding.
func (d *doctor) say(check string, h health, ru, en string) {
	d.Findings = append(d.Findings, finding{Check: check, Health: h, RU: ru, EN: en})
}

// sayWhy adds a finding that has a reason.
func (d *doctor) sayWhy(check string, h health, err error) {
	entry, _ := reason.Lookup(reason.Of(err))
	d.Findings = append(d.Findings, finding{
		Check: check, Health: h, Code: entry.Code, RU: entry.RU, EN: entry.EN, Detail: err.Error(),
	})
}

// run examines what was asked for, and prints it.
func (d *doctor) run(ctx context.Context, asJSON bool) error {
	if d.o.module != "" {
		d.library(ctx, d.o.module)
	} else {
		d.machine(ctx)
	}
	var err error
	if asJSON {
		err = printJSON(d.cmd.OutOrStdout(), d.all)
	} else {
		err = d.print(d.cmd.OutOrStdout())
	}
	if err != nil {
		return err
	}
	return exitWith(d.code())
}

// code is the exit code: that of the worst finding.
func (d *doctor) code() int {
	code := exitYes
	for _, e := range d.all {
		for _, f := range e.Findings {
			switch f.Health {
			case unhealthy:
				return exitNo
			case unknown:
				code = exitIndeterminate
			}
		}
	}
	return code
}

// print writes the findings for people.
func (d *doctor) print(w io.Writer) error {
	out := &printer{w: w}
	for i, e := range d.all {
		if i > 0 {
			out.line("")
		}
		if e.Module != "" {
			out.line("%s", strings.TrimRight(e.Module+"\t"+e.Library, "\t"))
		}
		if t := e.Token; t != nil {
			out.line("  %s: %s, %s, № %s", t.Label, t.Manufacturer, t.Model, t.Serial)
		}
		for _, f := range e.Findings {
			mark := map[health]string{healthy: "+", noted: "*", unknown: "?", unhealthy: "!"}[f.Health]
			out.line("  %s %-11s %s\n    %-11s %s", mark, f.Check, f.RU, "", f.EN)
			if f.Health != healthy && f.Detail != "" {
				out.line("    %-11s (%s)", "", f.Detail)
			}
		}
	}
	out.line("")
	switch d.code() {
	case exitYes:
		out.line("Всё в порядке / all is well")
	case exitNo:
		out.line("Есть неполадки: строки с ! / something is wrong: the lines with !")
	default:
		out.line("Проверено не всё: строки с ? / not everything was examined: the lines with ?")
	}
	return out.err
}

// machine examines the readers, and every library that is installed.
func (d *doctor) machine(ctx context.Context) {
	d.begin("")
	d.readers(ctx)
	installed := tokens.InstalledLibraries()
	if len(installed) == 0 {
		d.say("libraries", unhealthy,
			"Библиотеки токенов не установлены. Установите драйвер от производителя токена или назовите библиотеку: --module.",
			"No library of tokens is installed; install the driver of the vendor, or name a library with --module.")
	}
	for _, l := range installed {
		d.library(ctx, l.Paths[0])
	}
}

// library examines one library and its token.
func (d *doctor) library(ctx context.Context, path string) {
	d.begin(path)
	module, err := d.open(path)
	if err != nil {
		d.sayWhy("library", unhealthy, err)
		return
	}
	if info, err := module.Info(); err != nil {
		d.sayWhy("library", unhealthy, err)
	} else {
		d.Library = strings.TrimSpace(info.Manufacturer + " " + info.Description + " " + info.Version)
		d.say("library", healthy, "Библиотека загружена: "+d.Library+".", "The library is loaded: "+d.Library+".")
	}
	d.token(ctx, module)
	if err := module.Close(); err != nil {
		d.sayWhy("close", unhealthy, err)
	}
}

// token finds the token and examines it.
func (d *doctor) token(ctx context.Context, module *tokens.Module) {
	token, err := module.Find(d.o.name)
	if err != nil {
		h := unhealthy
		if d.o.module == "" && reason.Of(err) == reason.TokenAbsent {
			h = noted // other libraries may have it
		}
		d.sayWhy("token", h, err)
		if d.o.module != "" && reason.Of(err) == reason.TokenAbsent && !strings.HasPrefix(d.o.module, tokens.SoftScheme) {
			d.readers(ctx) // which may say why
		}
		return
	}
	line := lineOf(token)
	d.Token = &line
	about := token.About()
	d.model(about)
	d.pin(token)
	d.mechanisms(token, about)
	if d.o.pinFile == "" {
		h := unknown
		if d.o.module == "" {
			h = noted
		}
		d.say("sign", h, "Без PIN-кода ключи и подпись не проверены: добавьте --pin-file.", "Without the PIN keys and signatures were not examined: add --pin-file.")
		return
	}
	session, err := d.o.session(d.cmd, module)
	if err != nil {
		d.sayWhy("login", unhealthy, err)
		return
	}
	d.session(session)
	if err := session.Close(); err != nil {
		d.sayWhy("logout", unhealthy, err)
	}
}

// model says what is known of the model.
func (d *doctor) model(about tokens.Model) {
	if !about.Known() {
		d.say("model", noted,
			"Модель нам не знакома: считаем, что она следует стандарту.",
			"The model is not one that we know: it is taken to follow the standard.")
		return
	}
	d.say("model", healthy, "Это "+about.RU+".", "It is "+about.EN+".")
	for _, n := range about.Notes {
		d.say("model", noted, n.RU, n.EN)
	}
}

// pin says how the PIN stands; the token is not asked.
func (d *doctor) pin(token *tokens.Token) {
	left, known := token.TriesLeft()
	tries := ""
	if known {
		tries = fmt.Sprintf(" (%d)", left)
	}
	switch state := token.PIN(); state {
	case tokens.PINReady:
		d.say("pin", healthy, "PIN-код в порядке, попытки есть"+tries+".", "The PIN is in order, and there are tries"+tries+".")
	case tokens.PINCountLow:
		d.say("pin", noted,
			"PIN-код недавно вводили неверно, попыток осталось меньше"+tries+". Верный PIN-код вернёт их.",
			"The PIN was wrong lately and fewer tries are left"+tries+"; the right one gives them back.")
	default:
		d.sayWhy("pin", unhealthy, map[tokens.PINState]error{
			tokens.PINFinalTry: reason.TokenPINLastTry, tokens.PINMustChange: reason.TokenPINChange,
			tokens.PINUnset: reason.TokenPINUnset, tokens.PINLocked: reason.TokenPINLocked,
		}[state])
	}
	if token.HasPINPad() {
		d.say("pin", noted, "PIN-код вводится на самом токене или считывателе.", "The PIN is entered on the token or the reader itself.")
	}
}
