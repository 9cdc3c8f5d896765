package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"propusk/certs"
	"propusk/certs/testpki"
	"propusk/certs/testpki/responder"
	"propusk/cmd/internal/agent"
	"propusk/cmd/internal/cabinet"
	"propusk/server"
	"propusk/server/config"
	"propusk/server/level"
	"propusk/server/mail/mailbox"
)

// Ports of the demo, counted from the base.
const (
	demoCheckPort   = 0
	demoPublicPort  = 3
	demoSignInPort  = 4
	demoCabinetPort = 5
	demoAgentPort   = 6
	demoMailPort    = 7
	demoAdminPort   = 9
)

// demoMargin is how long a country must still be good for to be used again.
const demoMargin = 48 * time.Hour

// demoFile is the file that says that everything listens, and where.
const demoFile = "demo.json"

// demoOptions are the flags of `propusk demo`.
type demoOptions struct {
	dir      string
	host     string
	portBase int
	verbose  bool
}

// newDemoCommand returns `propusk demo`.
func newDemoCommand() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Целая страна в одном процессе / a whole country in one process",
		Long: "Makes a country of CAs, people and trust data, or takes the one in --dir, and runs the gateway and a demo cabinet.\n" +
			"When everything listens it writes DIR/demo.json and says what to open. Ends cleanly on SIGTERM and SIGINT.\n\n" +
			"Ports, from --port-base: +0 check page, revocation lists, OCSP and time-stamps (plain HTTP), +3 public HTTPS, +4 sign-in host, +5 cabinet, +6 token agent and +7 SMTP (on 127.0.0.1), +9 admin with /mailbox.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&o.dir, "dir", filepath.Join("var", "demo"), "каталог страны / where the country is kept")
	cmd.Flags().StringVar(&o.host, "host", "127.0.0.1", "имя или адрес, на котором принимать соединения / name or address to listen on")
	cmd.Flags().IntVar(&o.portBase, "port-base", 8440, "первый из десяти портов / the first of ten ports")
	cmd.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "журнал запросов на экран / log requests to standard error")
	return cmd
}

// demo runs the demo until ctx ends.
func demo(ctx context.Context, o demoOptions, stdout, stderr io.Writer) error {
	if o.portBase < 1 || o.portBase+demoAdminPort > 65535 {
		return fmt.Errorf("--port-base %d: must be between 1 and %d", o.portBase, 65535-demoAdminPort)
	}
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return err
	}
	o.dir = dir
	d := &demoRun{options: o, config: o.config(), log: stderr}
	defer d.close()
	for _, step := range []func(context.Context) error{
		d.listen, // first, so that a second demo does not disturb the running one
		// Where the file is, the demo is up: that of a run that was killed must go
		// now, and ours at the end.
		func(context.Context) error { return removeDemoFile(dir) },
		d.country,
		d.accounts,
		d.gateway,
		d.cabinet,
		d.agent,
	} {
		err := step(ctx)
		if ctx.Err() != nil {
			return nil // it was told to end before it had begun
		}
		if err != nil {
			return err
		}
	}
	return d.serve(ctx, stdout)
}

// demoRun is the demo between its steps.
type demoRun struct {
	options  demoOptions
	config   config.Config
	log      io.Writer
	manifest testpki.Manifest
	services *responder.Responder
	seeds    map[string]demoAccount // by the ID of the person
	mailbox  *mailbox.Mailbox

	listeners       *server.Listeners
	cabinetListener net.Listener
	server          *server.Server
	relyingParty    *cabinet.Cabinet
	agentListener   net.Listener
	tokenAgent      *agent.Agent
	mailListener    net.Listener
}

// close closes the ports that nobody serves.
func (d *demoRun) close() {
	if d.listeners != nil {
		_ = d.listeners.Close() // closed twice after a clean end
	}
	if d.cabinetListener != nil {
		_ = d.cabinetListener.Close()
	}
	if d.agentListener != nil {
		_ = d.agentListener.Close()
	}
	if d.mailListener != nil {
		_ = d.mailListener.Close()
	}
}

// listen opens all ports or none.
func (d *demoRun) listen(ctx context.Context) error {
	return explainListen(d.openPorts(ctx), "назовите другие порты, --port-base", "name other ports with --port-base")
}

func (d *demoRun) openPorts(ctx context.Context) error {
	var err error
	if d.listeners, err = server.Listen(ctx, d.config); err != nil {
		return err
	}
	if d.cabinetListener, err = new(net.ListenConfig).Listen(ctx, "tcp", d.options.address(demoCabinetPort)); err != nil {
		return err
	}
	if d.agentListener, err = new(net.ListenConfig).Listen(ctx, "tcp4", d.options.agentAddress()); err != nil {
		return err
	}
	d.mailListener, err = new(net.ListenConfig).Listen(ctx, "tcp4", d.options.smtpAddress())
	return err
}

// country takes the country in the directory if it is good for a while, or makes
// a new one.
func (d *demoRun) country(ctx context.Context) error {
	now, dir, hosts := time.Now(), d.options.dir, d.options.certificateHosts()
	m, err := testpki.ReadManifest(dir)
	base := d.options.urls().Check
	if err != nil || !m.Usable(now, demoMargin, hosts, base) || !whole(ctx, m.In(dir), now) {
		country, err := testpki.New(testpki.Options{Now: now, Hosts: hosts, BaseURL: base})
		if err != nil {
			return err
		}
		if err := country.WriteTo(dir); err != nil {
			return err
		}
		// What was fetched in another country is nothing in this one.
		if err := errors.Join(os.RemoveAll(d.config.Trust.StateDir), d.forgetAccounts()); err != nil {
			return err
		}
		if m, err = testpki.ReadManifest(dir); err != nil {
			return err
		}
	}
	d.manifest = m.In(dir)
	if d.services, err = responder.Open(d.manifest, time.Now); err != nil {
		return err
	}
	if err := d.subjectSecret(); err != nil {
		return err
	}
	if err := d.challengeKey(); err != nil {
		return err
	}
	return os.WriteFile(d.options.gostConfig(), []byte(gostEngineConfig), 0o644)
}

// whole reports whether the files of a country are all there.
func whole(ctx context.Context, m testpki.Manifest, now time.Time) bool {
	if _, err := certs.Load(ctx, certs.Source{Dir: m.Trust.Dir}, now); err != nil {
		return false
	}
	files := []string{m.TLS.CA, m.TLS.GOSTCA}
	for _, f := range append(slices.Clone(m.Services.Authorities), m.Services.TSA) {
		files = append(files, f.Cert, f.Key, f.CA, f.CRL)
	}
	for _, p := range m.People {
		files = append(files, p.Cert, p.Key)
	}
	return !slices.ContainsFunc(files, func(f string) bool {
		_, err := os.Stat(f)
		return err != nil
	})
}

// subjectSecret makes the secret behind the claim "sub" once, so that people stay
// themselves over restarts.
func (d *demoRun) subjectSecret() error {
	return secretFile(d.config.OIDC.SubjectSecret)
}

// challengeKey makes the key of requests to agents once, so that agents that know it go on
// trusting the demo over restarts.
func (d *demoRun) challengeKey() error {
	file := d.config.Challenge.Keys[0]
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600)
}

// gateway puts the server together with its trust data loaded.
func (d *demoRun) gateway(ctx context.Context) error {
	store := certs.NewStore(server.TrustSource(d.config.Trust), time.Now)
	if err := store.Reload(ctx); err != nil {
		return err
	}
	var err error
	services := make(map[string]http.Handler)
	for _, prefix := range responder.Prefixes() {
		services[prefix] = d.services
	}
	d.server, err = server.New(server.Options{
		Config: d.config, Trust: store, Log: newLog(d.log, d.config), Version: buildVersion(), Services: services,
		AdminServices: map[string]http.Handler{mailbox.Path: d.mailbox.Handler()},
	})
	return err
}

// cabinet puts the relying party together. It asks the gateway over ordinary TLS
// as any service would.
func (d *demoRun) cabinet(context.Context) error {
	ca, err := os.ReadFile(d.manifest.TLS.CA)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return fmt.Errorf("%s: no certificate", d.manifest.TLS.CA)
	}
	if d.options.cabinetScheme() == "https" {
		pair, err := tls.LoadX509KeyPair(d.config.Public.TLS.Certificate, d.config.Public.TLS.Key)
		if err != nil {
			return err
		}
		d.cabinetListener = tls.NewListener(d.cabinetListener, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	}
	at := d.options.urls()
	policy, err := level.Load(d.config.Levels.Path)
	if err != nil {
		return err
	}
	d.relyingParty, err = cabinet.New(cabinet.Options{
		URL: at.Cabinet, Issuer: at.Public, ClientID: cabinetClient, RootCAs: roots, Services: policy.Services(cabinetClient),
		Log: newLog(d.log, d.config),
	})
	return err
}

// serve answers on all ports and says so, until ctx ends or something fails.
func (d *demoRun) serve(ctx context.Context, stdout io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 4)
	go func() { ended <- d.server.Serve(ctx, d.listeners) }()
	go func() { ended <- d.relyingParty.Serve(ctx, d.cabinetListener) }()
	go func() { ended <- d.tokenAgent.Serve(ctx, d.agentListener) }()
	go func() { ended <- d.mailbox.Serve(ctx, d.mailListener) }()

	// The ports are open, so the kernel keeps whoever comes before Serve.
	doc := demoDocument{URLs: d.options.urls(), People: d.people(), Trust: d.manifest.Trust, TLS: d.manifest.TLS}
	err := writeDemoFile(d.options.dir, doc)
	if err == nil {
		err = printDemo(stdout, d.options, doc)
	}
	if err != nil {
		cancel()
	}
	defer func() { _ = removeDemoFile(d.options.dir) }() // there is nothing more to do about it
	for range cap(ended) {
		err = errors.Join(err, <-ended)
		cancel() // one does not go on without the other
	}
	return err
}
