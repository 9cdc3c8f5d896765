package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// nginxConfig is one process without a master, so that its processor time is that of
// the worker. TLS 1.3 is only for P-256: with a GOST certificate OpenSSL 3.0 fails in it.
var nginxConfig = template.Must(template.New("nginx").Parse(`
master_process off;
daemon off;
pid {{.Dir}}/nginx.pid;
error_log {{.Dir}}/nginx.log crit;
env OPENSSL_CONF;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path {{.Dir}}/t1; proxy_temp_path {{.Dir}}/t2; fastcgi_temp_path {{.Dir}}/t3;
  uwsgi_temp_path {{.Dir}}/t4; scgi_temp_path {{.Dir}}/t5;
  keepalive_requests 1000000;
  ssl_ciphers GOST2012-KUZNYECHIK-KUZNYECHIKOMAC:GOST2012-MAGMA-MAGMAOMAC:IANA-GOST2012-GOST8912-GOST8912:ECDHE-ECDSA-AES256-GCM-SHA384;
  ssl_verify_client on;
{{range .Servers}}  server {
    listen {{.Addr}} ssl backlog=4096;
    ssl_protocols {{.Protocols}};
    ssl_certificate {{.Cert}}; ssl_certificate_key {{.Key}}; ssl_client_certificate {{.CA}};
    ssl_session_cache {{.Cache}}; ssl_session_tickets {{.Tickets}};
    location /bulk { alias {{$.Bulk}}; }
  }
{{end}}}
`))

// nginxAttempts is how often nginx is started: somebody else may take one of the
// addresses before it does.
const nginxAttempts = 5

// startNginx starts nginx with listeners for each kind of keys.
func startNginx(ctx context.Context, dir string) (*server, error) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			return nil, errors.New("no nginx (Debian: nginx-light)")
		}
	}
	var errs []error
	for range nginxAttempts {
		s, err := tryNginx(ctx, dir, program)
		if err == nil {
			return s, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// A listener is what the configuration of nginx says about one.
type listener struct{ Addr, Protocols, Cert, Key, CA, Cache, Tickets string }

// tryNginx starts nginx and waits until it listens.
func tryNginx(ctx context.Context, dir, program string) (*server, error) {
	var listeners []listener
	s := &server{addrs: map[string]string{}}
	for _, k := range keyKinds() {
		for _, kind := range endpointKinds() {
			l := listener{
				Protocols: "TLSv1.2",
				Cert:      certFile(dir, "server", k.name), Key: keyFile(dir, "server", k.name), CA: certFile(dir, "ca", k.ca),
				Cache: "off", Tickets: "off",
			}
			if k.name == "P-256" {
				l.Protocols = "TLSv1.2 TLSv1.3"
			}
			if kind == resumed {
				l.Cache, l.Tickets = "shared:sessions:10m", "on"
			}
			var err error
			if l.Addr, err = freeAddr(); err != nil {
				return nil, err
			}
			listeners = append(listeners, l)
			s.addrs[endpoint(k.name, kind)] = l.Addr
		}
	}
	var config strings.Builder
	if err := nginxConfig.Execute(&config, map[string]any{"Dir": dir, "Bulk": bulkFile(dir), "Servers": listeners}); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		return nil, err
	}
	s.cmd = pinned(ctx, serverCPU, program, "-p", dir, "-c", file)
	s.cmd.Env = withEngine(dir)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if err := awaitPID(filepath.Join(dir, "nginx.pid"), s.cmd.Process.Pid); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// freeAddr returns an address that nobody listens on at the moment: nginx cannot choose
// one itself.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// startTime is how long nginx may take to start.
const startTime = time.Minute

// awaitPID waits until the file has the number of the process: nginx writes it when it
// listens.
func awaitPID(file string, pid int) error {
	for deadline := time.Now().Add(startTime); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		data, err := os.ReadFile(file)
		if err == nil && strings.TrimSpace(string(data)) == strconv.Itoa(pid) {
			return nil
		}
		if _, err := processorTime(pid); err != nil || isZombie(pid) {
			break
		}
	}
	return errors.New("nginx did not start")
}

// isZombie reports whether a child process has ended.
func isZombie(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(data), ") ")
	return err != nil || strings.HasPrefix(state, "Z")
}
