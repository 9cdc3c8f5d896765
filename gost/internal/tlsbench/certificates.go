package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// engineConfig makes OpenSSL load gost-engine.
const engineConfig = `openssl_conf = openssl_init
[openssl_init]
engines = engine_list
[engine_list]
gost = gost_engine
[gost_engine]
engine_id = gost
default_algorithms = ALL
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[leaf]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment,keyAgreement
extendedKeyUsage = serverAuth,clientAuth
subjectAltName = DNS:localhost
`

// A keyKind is how the keys of a row are made, and who signs their certificates.
type keyKind struct {
	name      string
	algorithm []string // arguments of openssl genpkey
	ca        string
}

// keyKinds are the keys of the table.
func keyKinds() []keyKind {
	return []keyKind{
		{"256-A", []string{"-algorithm", "gost2012_256", "-pkeyopt", "paramset:A"}, "ca-256"},
		{"256-TCA", []string{"-algorithm", "gost2012_256", "-pkeyopt", "paramset:TCA"}, "ca-256"},
		{"512-A", []string{"-algorithm", "gost2012_512", "-pkeyopt", "paramset:A"}, "ca-512"},
		{"512-C", []string{"-algorithm", "gost2012_512", "-pkeyopt", "paramset:C"}, "ca-512"},
		{"P-256", []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"}, "ca-P"},
	}
}

// caKinds are the keys of the CAs, which sign themselves.
func caKinds() []keyKind {
	return []keyKind{
		{"ca-256", []string{"-algorithm", "gost2012_256", "-pkeyopt", "paramset:A"}, ""},
		{"ca-512", []string{"-algorithm", "gost2012_512", "-pkeyopt", "paramset:A"}, ""},
		{"ca-P", []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"}, ""},
	}
}

// Files of a key: the certificate of the server and that of the client, and their keys.
func certFile(dir, side, name string) string { return filepath.Join(dir, side+"-"+name+".crt") }
func keyFile(dir, side, name string) string  { return filepath.Join(dir, side+"-"+name+".key") }
func bulkFile(dir string) string             { return filepath.Join(dir, "bulk") }
func configFile(dir string) string           { return filepath.Join(dir, "openssl.cnf") }

// makeCertificates makes all keys and certificates with the openssl command.
func makeCertificates(ctx context.Context, dir string) error {
	if err := os.WriteFile(configFile(dir), []byte(engineConfig), 0o600); err != nil {
		return err
	}
	for _, k := range caKinds() {
		if err := k.generate(ctx, dir, "ca"); err != nil {
			return err
		}
		err := openssl(ctx, dir, "req", "-new", "-x509", "-key", keyFile(dir, "ca", k.name), "-out", certFile(dir, "ca", k.name),
			"-days", "30", "-subj", "/O=Benchmark/CN="+k.name, "-config", configFile(dir), "-extensions", "ca")
		if err != nil {
			return err
		}
	}
	for _, k := range keyKinds() {
		for _, side := range []string{"server", "client"} {
			if err := k.generate(ctx, dir, side); err != nil {
				return err
			}
			request := filepath.Join(dir, "request")
			err := openssl(ctx, dir, "req", "-new", "-key", keyFile(dir, side, k.name), "-out", request,
				"-subj", "/O=Benchmark/CN="+side, "-config", configFile(dir))
			if err != nil {
				return err
			}
			err = openssl(ctx, dir, "x509", "-req", "-in", request, "-out", certFile(dir, side, k.name), "-days", "30",
				"-CA", certFile(dir, "ca", k.ca), "-CAkey", keyFile(dir, "ca", k.ca), "-CAcreateserial",
				"-extfile", configFile(dir), "-extensions", "leaf")
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (k keyKind) generate(ctx context.Context, dir, side string) error {
	args := append([]string{"genpkey", "-out", keyFile(dir, side, k.name)}, k.algorithm...)
	return openssl(ctx, dir, args...)
}

// openssl runs the command with gost-engine.
func openssl(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "openssl", args...)
	cmd.Env = withEngine(dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("openssl %q (Debian: openssl, libengine-gost-openssl): %w\n%s", args, err, out)
	}
	return nil
}

// withEngine is the environment for programs that use OpenSSL.
func withEngine(dir string) []string { return append(os.Environ(), "OPENSSL_CONF="+configFile(dir)) }
