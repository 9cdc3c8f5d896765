package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/url"
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
	var caFile string
	var fingerprints []string
	cmd := &cobra.Command{
		Use: "enroll URL", Short: "Разрешить шлюзу просить подпись / let a gateway ask for signatures", Args: oneAddress,
		Long: "Fetches the keys of a gateway, shows their fingerprints and pins them if the person agrees; with --fingerprint it pins those keys\n" +
			"and no others. The owner of the gateway gives the fingerprints out by another way.",
		Example: "  propusk-agent enroll https://propusk.example.ru",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.enroll(cmd, args[0], caFile, fingerprints)
		},
	}
	cmd.Flags().StringVar(&caFile, "ca", "", "файл УЦ сертификата TLS шлюза, PEM / file of CAs of the gateway's TLS certificate")
	cmd.Flags().StringSliceVar(&fingerprints, "fingerprint", nil, "отпечатки ключей шлюза: без вопросов / fingerprints of keys of the gateway: no questions")
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

func (a *app) enroll(cmd *cobra.Command, address, caFile string, fingerprints []string) error {
	origin, err := gatewayOrigin(address)
	if err != nil {
		return err
	}
	s, err := readSettings(a.config)
	if err != nil {
		return err
	}
	ca, err := readCA(caFile)
	if err != nil {
		return err
	}
	card, err := agent.FetchCard(cmd.Context(), origin, ca)
	if err != nil {
		return explainFetch(err)
	}
	if card.Keys, err = chosenKeys(card.Keys, fingerprints); err != nil {
		return err
	}
	if other := s.keyOfAnother(card.Gateway); other != "" {
		return fmt.Errorf("%w: ключ этого шлюза уже подключён как ключ %s / a key of this gateway is enrolled as one of %[2]s", errNo, other)
	}
	about := enrolment{URL: card.URL, Name: card.Name, Ports: card.AgentPorts}
	for _, key := range card.Keys {
		about.Fingerprints = append(about.Fingerprints, key.ID)
	}
	if len(fingerprints) == 0 {
		if err := agree(cmd, s.find(card.URL), about); err != nil {
			return err
		}
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

// oneAddress checks that a command was given the address of a gateway.
func oneAddress(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return errors.New("укажите один адрес шлюза, например https://propusk.example.ru / name one address of a gateway")
	}
	return nil
}

// gatewayOrigin reads the address of a gateway as people write it. Over http, everybody
// on the way could give us his keys.
func gatewayOrigin(address string) (string, error) {
	address = strings.TrimSuffix(strings.TrimSpace(address), "/")
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(address)
	local := err == nil && u.Scheme == "http" && slices.Contains([]string{"127.0.0.1", "::1", "localhost"}, u.Hostname())
	if err != nil || u.Scheme != "https" && !local || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("адрес шлюза должен быть таким: https://propusk.example.ru / the address of a gateway must look like this")
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

// explainFetch says what to do when a gateway cannot be asked.
func explainFetch(err error) error {
	if _, unknown := errors.AsType[*tls.CertificateVerificationError](err); unknown {
		return fmt.Errorf("сертификату TLS шлюза нельзя доверять: проверьте адрес или укажите файл УЦ, --ca / "+
			"the TLS certificate of the gateway cannot be trusted, check the address or name its CA with --ca: %w", err)
	}
	if reason.Of(err) != reason.InternalError {
		return err
	}
	return fmt.Errorf("шлюз не сообщил о себе: проверьте адрес и связь / the gateway does not tell about itself, check the address and the network: %w", err)
}

// chosenKeys returns the keys that have the fingerprints that were given, all keys if none
// were. A gateway can show a key of somebody else beside its own, and who stands between
// can add his: what was not named is not pinned.
func chosenKeys(keys []signrequest.Key, fingerprints []string) ([]signrequest.Key, error) {
	if len(fingerprints) == 0 {
		return keys, nil
	}
	var chosen []signrequest.Key
	for _, f := range fingerprints {
		i := slices.IndexFunc(keys, func(k signrequest.Key) bool { return k.ID == strings.TrimSpace(f) })
		if i < 0 {
			return nil, fmt.Errorf("%w: у шлюза нет ключа с отпечатком %.60q / the gateway has no key of this fingerprint", errNo, f)
		}
		chosen = append(chosen, keys[i])
	}
	return chosen, nil
}

// agree returns nil if the keys may be pinned: the person says yes. Keys of a gateway
// that is enrolled change only with fingerprints: whoever stands between would show
// others.
func agree(cmd *cobra.Command, known *enrolled, about enrolment) error {
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
	fmt.Fprint(w, "Сравните каждый отпечаток с тем, что сообщил владелец шлюза. Подключить? / Compare each fingerprint. Enrol? [да/нет, y/N] ")
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
		Use: "forget URL", Short: "Больше не подписывать для шлюза / sign for a gateway no more", Args: oneAddress,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := readSettings(a.config)
			if err != nil {
				return err
			}
			origin, err := gatewayOrigin(args[0])
			if err != nil {
				return err
			}
			if s.find(origin) == nil {
				return fmt.Errorf("%w: шлюз не подключён / the gateway is not enrolled", errNo)
			}
			s.Gateways = slices.DeleteFunc(s.Gateways, func(e enrolled) bool { return e.URL == origin })
			if err := s.write(a.config); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Шлюз отключён / the gateway is forgotten: %s\n", origin)
			return err
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
			if err := s.write(a.config); err != nil {
				return err
			}
			said := "Фраза сохранена: агент показывает её над полем PIN-кода / the phrase is kept; the agent shows it above the field of the PIN"
			if s.Phrase == "" {
				said = "Фразы больше нет / there is no phrase any more"
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), said)
			return err
		},
	}
}
