package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"propusk/cmd/internal/agent"
)

// runFlags are the flags of `propusk-agent run`.
type runFlags struct {
	port    int
	modules []string
	verbose bool
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use: "run", Short: "Запустить агент / run the agent, as without a command", Args: cobra.NoArgs,
		Long: "Runs the agent on 127.0.0.1, at the first of its ports that is free, until it is told to end. Settings that change are read again.",
		RunE: func(cmd *cobra.Command, _ []string) error { return a.run(cmd, f) },
	}
	cmd.Flags().IntVar(&f.port, "port", 0, "порт вместо настроенных / port instead of those in the settings")
	cmd.Flags().StringArrayVar(&f.modules, "module", nil, "только эти библиотеки PKCS#11 / only these PKCS#11 libraries (path or soft:DIR)")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "журнал на экран / log to standard error")
	return cmd
}

// run runs the agent until the context of the command ends. When the settings change,
// it begins anew with them.
func (a *app) run(cmd *cobra.Command, f runFlags) error {
	leaveConsole()
	if err := keepSecrets(); err != nil {
		return err
	}
	ctx := cmd.Context()
	for told := false; ; told = true {
		before := stamp(a.config)
		s, err := readSettings(a.config)
		if err != nil {
			return err
		}
		if f.port != 0 {
			s.Ports = []int{f.port}
		}
		if len(f.modules) > 0 {
			s.Modules, s.SkipInstalled = f.modules, true
		}
		if port, running := find(ctx, s.Ports); running && !told {
			fmt.Fprintf(cmd.OutOrStdout(), "Агент уже работает / the agent runs already: http://127.0.0.1:%d/\n", port)
			return nil
		}
		changed, err := a.serve(ctx, cmd, s, f.verbose, before, told)
		if err != nil || !changed {
			return err
		}
	}
}

// serve runs the agent with some settings, and reports whether they have changed.
func (a *app) serve(ctx context.Context, cmd *cobra.Command, s settings, verbose bool, before fileStamp, told bool) (changed bool, err error) {
	gateways, err := s.gateways()
	if err != nil {
		return false, err
	}
	level := slog.LevelError
	if verbose {
		level = slog.LevelDebug
	}
	one, err := agent.New(agent.Options{
		Gateways: gateways, Modules: s.modules(), Phrase: s.Phrase, Version: version(),
		Log: slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level})),
	})
	if err != nil {
		return false, err
	}
	l, err := listen(ctx, s.Ports)
	if err != nil {
		return false, errors.Join(err, one.Close())
	}
	if !told {
		fmt.Fprintf(cmd.OutOrStdout(), "Агент работает / the agent runs: http://%s/\n", l.Addr())
		if at, ok := l.Addr().(*net.TCPAddr); ok && at.Port != s.Ports[0] {
			fmt.Fprintf(cmd.ErrOrStderr(), "Внимание: порт %d занят другой программой. Не вводите PIN-код на странице без вашей фразы.\n"+
				"Another program has port %[1]d: enter no PIN on a page without your phrase.\n", s.Ports[0])
		}
	}
	if !told && len(gateways) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "Шлюзов пока нет, подключите: propusk-agent enroll https://адрес-шлюза / no gateways yet, enrol one")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watched := make(chan bool, 1)
	go func() {
		watched <- watch(ctx, a.config, before)
		cancel()
	}()
	err = one.Serve(ctx, l)
	cancel()
	return <-watched, err
}

// listen opens the first port that is free.
func listen(ctx context.Context, ports []int) (net.Listener, error) {
	var all []error
	for _, port := range ports {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return l, nil
		}
		all = append(all, err)
	}
	return nil, errors.Join(all...)
}

// settingsInterval is how often a running agent looks whether its settings changed.
const settingsInterval = time.Second

// fileStamp tells one content of a file from the next.
type fileStamp struct {
	at   time.Time
	size int64
}

func stamp(path string) fileStamp {
	st, err := os.Stat(path)
	if err != nil {
		return fileStamp{}
	}
	return fileStamp{st.ModTime(), st.Size()}
}

// watch waits until the settings are others than they were, and can be read, and reports
// true; or false when ctx ends.
func watch(ctx context.Context, path string, before fileStamp) bool {
	ticker := time.NewTicker(settingsInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
		if now := stamp(path); now != before {
			if _, err := readSettings(path); err == nil {
				return true
			}
		}
	}
}

// Limits on asking an agent how it is.
const (
	askTime   = 5 * time.Second
	maxStatus = 64 << 10
)

// ask returns the status of the agent at a port. An error means that there is none of
// this user.
func ask(ctx context.Context, port int) (agent.Status, error) {
	return askOwned(ctx, port, agent.SameUser)
}

// askOwned is ask, which asks whose the program at the port is: anybody on the machine can
// take a port and say that he is an agent.
func askOwned(ctx context.Context, port int, sameUser func(end, other netip.AddrPort) (bool, error)) (agent.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/status", port), nil)
	if err != nil {
		return agent.Status{}, err
	}
	// The connection stays open until somebody has looked whose it is.
	var ours, theirs netip.AddrPort
	request = request.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
		ours, theirs = addressOf(c.Conn.LocalAddr()), addressOf(c.Conn.RemoteAddr())
	}}))
	transport := new(http.Transport) // and no proxy
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		return agent.Status{}, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxStatus))
	if err != nil {
		return agent.Status{}, err
	}
	var s agent.Status
	if err := json.Unmarshal(body, &s); err != nil || answer.StatusCode != http.StatusOK || s.Program != program {
		return agent.Status{}, fmt.Errorf("port %d: not an agent", port)
	}
	if same, err := sameUser(theirs, ours); err != nil || !same {
		return agent.Status{}, errors.Join(fmt.Errorf("port %d: not an agent of this user", port), err)
	}
	return s, nil
}

// addressOf is the zero value for what is no address of TCP.
func addressOf(a net.Addr) netip.AddrPort {
	at, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	parsed := at.AddrPort()
	return netip.AddrPortFrom(parsed.Addr().Unmap(), parsed.Port())
}

// find returns the port at which an agent of this user runs.
func find(ctx context.Context, ports []int) (int, bool) {
	for _, port := range ports {
		if _, err := ask(ctx, port); err == nil {
			return port, true
		}
	}
	return 0, false
}

// statusLine is the answer of `propusk-agent status --json`.
type statusLine struct {
	Running bool          `json:"running"`
	URL     string        `json:"url,omitempty"`
	Config  string        `json:"config"`
	Agent   *agent.Status `json:"agent,omitempty"`
}

func (a *app) statusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "status", Short: "Работает ли агент и где / whether the agent runs, and where", Args: cobra.NoArgs,
		Long: "Says where the agent of this user listens, and what it trusts. Exit code 1 when none runs.",
		RunE: func(cmd *cobra.Command, _ []string) error { return a.status(cmd) },
	}
	a.jsonFlag(cmd)
	return cmd
}

func (a *app) status(cmd *cobra.Command) error {
	s, err := readSettings(a.config)
	if err != nil {
		return err
	}
	line := statusLine{Config: a.config}
	if port, running := find(cmd.Context(), s.Ports); running {
		about, err := ask(cmd.Context(), port)
		if err != nil {
			return err
		}
		line.Running, line.URL, line.Agent = true, fmt.Sprintf("http://127.0.0.1:%d/", port), &about
	}
	if err := a.printStatus(cmd.OutOrStdout(), line); err != nil {
		return err
	}
	if !line.Running {
		return fmt.Errorf("%w: агент не запущен, запустите propusk-agent / no agent runs, start propusk-agent", errNo)
	}
	return nil
}

func (a *app) printStatus(w io.Writer, line statusLine) error {
	if a.asJSON {
		return printJSON(w, line)
	}
	if !line.Running {
		return nil
	}
	fmt.Fprintf(w, "%s\t%s %s\n", line.URL, line.Agent.Program, line.Agent.Version)
	for _, g := range line.Agent.Gateways {
		fmt.Fprintf(w, "шлюз / gateway\t%s\n", g)
	}
	for _, m := range line.Agent.Modules {
		fmt.Fprintf(w, "библиотека / library\t%s\n", m)
	}
	return nil
}
