package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"propusk/cmd/internal/agent"
	"propusk/pki/reason"
	"propusk/server/signrequest"
)

// maxCAFile is the longest file of CAs, in bytes.
const maxCAFile = 1 << 20

func (a *app) enrollCommand() *cobra.Command {
	var caFile, fingerprint string
	cmd := &cobra.Command{
		Use: "enroll URL", Short: "Разрешить шлюзу просить подпись / let a gateway ask for signatures", Args: cobra.ExactArgs(1),
		Long: "Fetches the keys of a gateway, shows their fingerprints and pins them if the person agrees, or if one is that of --fingerprint.\n" +
			"The owner of the gateway gives the fingerprint out by another way.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.enroll(cmd, strings.TrimSuffix(args[0], "/"), caFile, fingerprint)
		},
	}
	cmd.Flags().StringVar(&caFile, "ca", "", "файл УЦ сертификата TLS шлюза, PEM / file of CAs of the gateway's TLS certificate")
	cmd.Flags().StringVar(&fingerprint, "fingerprint", "", "отпечаток ключа шлюза: без вопросов / fingerprint of a key of the gateway: no questions")
	a.jsonFlag(cmd)
	return cmd
}

// enrolment is the answer of `propusk-agent enroll --json`.
type enrolment struct {
	URL          string   `json:"url"`
	Name         string   `json:"name"`
	Fingerprints []string `json:"fingerprints"`
	Ports        []int    `json:"agent_ports"`
}

func (a *app) enroll(cmd *cobra.Command, url, caFile, fingerprint string) error {
	s, err := readSettings(a.config)
	if err != nil {
		return err
	}
	ca, err := readCA(caFile)
	if err != nil {
		return err
	}
	card, err := agent.FetchCard(cmd.Context(), url, ca)
	if err != nil {
		return err
	}
	about := enrolment{URL: card.URL, Name: card.Name, Ports: card.AgentPorts}
	for _, key := range card.Keys {
		about.Fingerprints = append(about.Fingerprints, key.ID)
	}
	if err := agree(cmd, s.find(card.URL), about, fingerprint); err != nil {
		return err
	}
	e, err := newEnrolled(card.Gateway, ca)
	if err != nil {
		return err
	}
	if known := s.find(card.URL); known != nil {
		*known = e
	} else {
		s.Gateways = append(s.Gateways, e)
	}
	if err := s.write(a.config); err != nil {
		return err
	}
	if a.asJSON {
		return printJSON(cmd.OutOrStdout(), about)
	}
	if !slices.ContainsFunc(card.AgentPorts, func(p int) bool { return slices.Contains(s.Ports, p) }) {
		fmt.Fprintf(cmd.ErrOrStderr(), "Шлюз ищет агент на других портах / the gateway looks for agents at other ports: %v (ports: %s)\n", card.AgentPorts, a.config)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "Шлюз подключён / the gateway is enrolled: %s\n", card.URL)
	return err
}

func readCA(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ca, err := io.ReadAll(io.LimitReader(f, maxCAFile+1))
	if err == nil && len(ca) > maxCAFile {
		err = fmt.Errorf("%s: longer than %d bytes", path, maxCAFile)
	}
	return ca, err
}

// agree returns nil if the keys may be pinned: one has the fingerprint that was given,
// or the person says yes. Keys of a gateway that is enrolled change only with a
// fingerprint: whoever stands between would show others.
func agree(cmd *cobra.Command, known *enrolled, about enrolment, fingerprint string) error {
	if fingerprint != "" {
		if slices.Contains(about.Fingerprints, strings.TrimSpace(fingerprint)) {
			return nil
		}
		return fmt.Errorf("%w: у шлюза нет ключа с этим отпечатком / the gateway has no key of this fingerprint", errNo)
	}
	if known != nil {
		if same, err := sameKeys(*known, about.Fingerprints); err != nil || !same {
			return errors.Join(reason.New(reason.AgentGatewayKnown, nil), err)
		}
		return nil
	}
	w := cmd.ErrOrStderr()
	fmt.Fprintf(w, "Шлюз / gateway: %s (%s)\n", about.Name, about.URL)
	for _, f := range about.Fingerprints {
		fmt.Fprintf(w, "Отпечаток ключа / fingerprint of a key: %s\n", f)
	}
	fmt.Fprint(w, "Сравните отпечаток с тем, что сообщил владелец шлюза. Подключить? / Compare the fingerprint. Enrol? [y/N] ")
	line, err := readLine(cmd.InOrStdin())
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"y", "yes", "д", "да"}, strings.ToLower(line)) {
		return fmt.Errorf("%w: шлюз не подключён / the gateway was not enrolled", errNo)
	}
	return nil
}

// sameKeys reports whether a gateway that is enrolled shows no key that it did not have.
func sameKeys(known enrolled, fingerprints []string) (bool, error) {
	var ids []string
	for _, text := range known.Keys {
		key, err := readKey(text)
		if err != nil {
			return false, err
		}
		ids = append(ids, key.ID)
	}
	return !slices.ContainsFunc(fingerprints, func(f string) bool { return !slices.Contains(ids, f) }), nil
}

// readLine reads one line, without spaces around it.
func readLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxPhrase+2)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimSpace(line), nil
}

func (a *app) forgetCommand() *cobra.Command {
	return &cobra.Command{
		Use: "forget URL", Short: "Больше не подписывать для шлюза / sign for a gateway no more", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := readSettings(a.config)
			if err != nil {
				return err
			}
			url := strings.TrimSuffix(args[0], "/")
			if s.find(url) == nil {
				return fmt.Errorf("%w: шлюз не подключён / the gateway is not enrolled", errNo)
			}
			s.Gateways = slices.DeleteFunc(s.Gateways, func(e enrolled) bool { return e.URL == url })
			return s.write(a.config)
		},
	}
}

func (a *app) phraseCommand() *cobra.Command {
	return &cobra.Command{
		Use: "phrase", Short: "Выбрать фразу, по которой вы узнаете агент / choose the phrase that you know the agent by", Args: cobra.NoArgs,
		Long: "Reads a phrase, which the agent shows where it asks for the PIN. Another program that took its port does not know it.\n" +
			"It is read from standard input, not from the command line, which others on this machine can see. An empty one is taken away.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := readSettings(a.config)
			if err != nil {
				return err
			}
			fmt.Fprint(cmd.ErrOrStderr(), "Фраза / phrase: ")
			if s.Phrase, err = readLine(cmd.InOrStdin()); err != nil {
				return err
			}
			if s.Phrase != "" && (!signrequest.OneLine(s.Phrase) || len(s.Phrase) > maxPhrase) {
				return fmt.Errorf("фраза длиннее %d байт или её не видно / the phrase is longer than %d bytes or cannot be seen", maxPhrase, maxPhrase)
			}
			return s.write(a.config)
		},
	}
}
