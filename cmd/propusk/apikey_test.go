package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"propusk/server/config"
)

func runAPIKey(t *testing.T, args ...string) (exit int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	exit = run(context.Background(), append([]string{"apikey", "new"}, args...), strings.NewReader(""), &out, &errs)
	return exit, out.String(), errs.String()
}

// TestAPIKeyNew: what is printed is a configuration that knows the key, and the key
// itself is in a comment only.
func TestAPIKeyNew(t *testing.T) {
	exit, out, stderr := runAPIKey(t, "accounting", "--requests", "7")
	if exit != exitYes {
		t.Fatalf("exit %d: %s", exit, stderr)
	}
	key := regexp.MustCompile(`propusk_[A-Za-z0-9_-]{43}`).FindString(out)
	c, err := config.Parse([]byte(out))
	if err != nil || len(c.API.Keys) != 1 {
		t.Fatalf("%v\n%s", err, out)
	}
	if k := c.API.Keys[0]; k.ID != "accounting" || k.Digest() != sha256.Sum256([]byte(key)) || k.RequestsPerMinute != 7 || k.Concurrent != 16 {
		t.Errorf("%+v", k)
	}
	_, again, _ := runAPIKey(t, "accounting")
	if strings.Contains(again, key) {
		t.Error("the same key twice")
	}
	_, out, _ = runAPIKey(t, "accounting", "--json")
	var entry struct{ Key, SHA256 string }
	if err := json.Unmarshal([]byte(out), &entry); err != nil || len(entry.SHA256) != 64 || !strings.HasPrefix(entry.Key, "propusk_") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestAPIKeyNewRefuses(t *testing.T) {
	for _, args := range [][]string{{}, {"a b"}, {"anonymous"}, {"a", "b"}, {"a", "--requests", "-1"}, {"a", "--concurrent", "x"}} {
		if exit, out, _ := runAPIKey(t, args...); exit != exitUsage || out != "" {
			t.Errorf("%q: exit %d\n%s", args, exit, out)
		}
	}
}
