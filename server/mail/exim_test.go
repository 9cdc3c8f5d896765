package mail

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"

	"propusk/pki/person"
	"propusk/server/config"
	"propusk/server/store"
)

// eximConf is a mail server that takes letters over TLS from who has a password, and keeps
// them as files.
const eximConf = `
primary_hostname = mail.example.ru
spool_directory = DIR/spool
log_file_path = DIR/%s.log
tls_advertise_hosts = *
tls_certificate = DIR/cert.pem
tls_privatekey = DIR/key.pem
acl_smtp_rcpt = recipient
acl_smtp_data = content
smtp_receive_timeout = 1m
keep_environment =
smtp_accept_queue_per_connection = 0
begin acl
recipient:
  deny message = nobody of this name
       condition = ${if eq{$local_part}{unknown}}
  accept encrypted = *
         authenticated = *
  deny message = not for you
content:
  deny message = headers: $acl_verify_message
       !verify = header_syntax
  accept
begin routers
everybody:
  driver = accept
  transport = file
begin transports
file:
  driver = appendfile
  directory = DIR/mail
  maildir_format
  create_directory
  user = Debian-exim
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_advertise_condition = ${if def:tls_in_cipher}
  server_condition = ${if and{{eq{$auth2}{propusk}}{eq{$auth3}{secret}}}}
`

// exim starts Debian's mail server for each connection to a listener, as inetd would, and
// returns the directory of its files and the server.
func exim(t *testing.T) (dir string, server Server) {
	t.Helper()
	program, err := exec.LookPath("exim4")
	if err != nil || os.Getuid() != 0 {
		if os.Getenv("PROPUSK_REQUIRE_INTEROP") == "1" && err != nil {
			t.Fatal("exim4 is not installed, and PROPUSK_REQUIRE_INTEROP=1")
		}
		t.Skip("exim4 is not installed (Debian: exim4-daemon-light), or the test is not run by root")
	}
	owner, err := user.Lookup("Debian-exim")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(owner.Uid)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.Atoi(owner.Gid)
	if err != nil {
		t.Fatal(err)
	}
	dir, err = os.MkdirTemp("", "exim") // not below the directory of the test, which is for its user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	cert, roots := certificate(t)
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"cert.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}),
		"key.pem":  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
	} {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(file, data, 0o600), os.Chown(file, uid, gid)); err != nil {
			t.Fatal(err)
		}
	}
	conf := filepath.Join(dir, "exim.conf")
	if err := errors.Join(os.WriteFile(conf, []byte(strings.ReplaceAll(eximConf, "DIR", dir)), 0o644), os.Chown(dir, uid, gid)); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, func(ctx context.Context) error { return inetd(ctx, l, program, "-C", conf, "-bs", "-odf") })
	return dir, Server{
		Address: l.Addr().String(), Security: config.MailSTARTTLS, Roots: roots, Login: "propusk", Password: "secret",
		From: "no-reply@example.ru", FromName: "Личный кабинет",
	}
}

// inetd runs a program for each connection, with the socket as its standard input and output,
// until ctx ends.
func inetd(ctx context.Context, l net.Listener, name string, arguments ...string) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() }) // told by Accept
	defer stop()
	var running sync.WaitGroup
	defer running.Wait()
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		socket, err := c.(*net.TCPConn).File()
		if err := errors.Join(err, c.Close()); err != nil {
			return err
		}
		running.Go(func() {
			defer socket.Close()
			cmd := exec.CommandContext(ctx, name, arguments...)
			cmd.Stdin, cmd.Stdout = socket, socket
			_ = cmd.Run() // the client has been told
		})
	}
}

// TestExim: Debian's mail server takes the letters of the gateway, over TLS, with a password,
// and finds nothing wrong with them; what it refuses is known.
func TestExim(t *testing.T) {
	dir, server := exim(t)
	f := &office{store: store.NewMemory(), log: new(syncBuffer), now: at, server: server}
	for _, l := range each(t, To{Email: person.NewEmail("ivan@example.ru"), Language: "ru"}) {
		f.put(t, l)
	}
	refused := f.put(t, code("unknown@example.ru", at))
	s := f.sender(t)
	t.Cleanup(func() {
		if log, _ := os.ReadFile(filepath.Join(dir, "main.log")); t.Failed() {
			t.Logf("exim says\n%s", log)
		}
	})
	deliver(t, s)
	if got := f.letter(t, refused.ID); got.Failed.IsZero() || !strings.HasPrefix(got.Trouble, "SMTP 550") {
		t.Errorf("%+v", got)
	}
	files, err := filepath.Glob(filepath.Join(dir, "mail", "new", "*"))
	if err != nil {
		t.Fatal(err)
	}
	if want := len(each(t, To{})); len(files) != want || !s.State().FailingSince.IsZero() {
		t.Fatalf("%d letters of %d; %s", len(files), want, f.log)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if head, _, _ := strings.Cut(string(data), "\n\n"); !strings.Contains(head, "esmtpsa") || !strings.Contains(head, "Auto-Submitted: auto-generated") {
			t.Errorf("how it came:\n%s", head)
		}
	}
	f.put(t, code("ivan@example.ru", at))
	s.opts.Server.Password = "wrong"
	if _, err := s.Deliver(t.Context()); err == nil {
		t.Error("exim let anybody in")
	}
}
