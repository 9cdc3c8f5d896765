package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func none(string) string { return "" }

func TestParse(t *testing.T) {
	env := func(name string) string {
		return map[string]string{"CABINET_ISSUER": "https://env.example", "CABINET_CLIENT_ID": "env"}[name]
	}
	s, err := parse([]string{"-client-id", "flag"}, env, new(bytes.Buffer))
	if err != nil {
		t.Fatal(err)
	}
	if s.issuer != "https://env.example" || s.clientID != "flag" || s.listen != "127.0.0.1:8445" {
		t.Errorf("settings %+v", s)
	}
}

func TestBadUsage(t *testing.T) {
	for name, args := range map[string][]string{
		"no issuer":      {},
		"unknown flag":   {"-nonsense"},
		"argument":       {"-issuer", "https://a.example", "x"},
		"no secret file": {"-issuer", "https://a.example", "-client-secret-file", "/nonexistent"},
		"no CA file":     {"-issuer", "https://a.example", "-ca", "/nonexistent"},
		"no services":    {"-issuer", "https://a.example", "-services", "/nonexistent"},
		"CA without PEM": {"-issuer", "https://a.example", "-ca", "main.go"},
		"bad address":    {"-issuer", "https://a.example", "-listen", "nowhere"},
	} {
		var stderr bytes.Buffer
		if code := run(context.Background(), args, none, &stderr); code != exitUsage || stderr.Len() == 0 {
			t.Errorf("%s: exit %d, %q", name, code, &stderr)
		}
	}
	var stderr bytes.Buffer
	if code := run(context.Background(), []string{"-help"}, none, &stderr); code != exitOK || !strings.Contains(stderr.String(), "CABINET_ISSUER") {
		t.Errorf("help: exit %d, %q", code, &stderr)
	}
}

func TestStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	args := []string{"-issuer", "https://a.example", "-listen", "127.0.0.1:0"}
	var stderr bytes.Buffer
	if code := run(ctx, args, none, &stderr); code != exitOK {
		// A context that is over may also keep the port from opening.
		if !strings.Contains(stderr.String(), "cancel") {
			t.Errorf("exit %d, %q", code, &stderr)
		}
	}
}
