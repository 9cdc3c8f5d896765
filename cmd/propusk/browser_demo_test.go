package main

import (
	"testing"

	"propusk/cmd/internal/browsertest"
)

// TestDemoBrowser does in a browser what the demo invites people to: sign in to its
// cabinet with the token of somebody, through its agent.
func TestDemoBrowser(t *testing.T) {
	browsertest.Require(t)
	d := startDemo(t, t.TempDir(), freePorts(t))
	browsertest.Run(t, "signin", map[string]any{
		"cabinet": d.text(t, "urls", "cabinet"), "gateway": d.text(t, "urls", "public"), "agent": d.text(t, "urls", "agent"),
		"phrase": demoPhrase, "people": map[string]any{"ip512": d.person(t, "ip512")},
		"signer": "ip512", "pictures": "demo", "brief": true,
	})
}
