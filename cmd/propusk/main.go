// Command propusk turns a Russian qualified certificate into a verified
// identity: it is the gateway, the verifier and the demo country in one binary.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"propusk/tokens"
)

func main() {
	tokens.ServeIfChild() // the libraries of tokens are in processes of their own
	// SIGTERM is how a supervisor stops the gateway, SIGINT how a person does;
	// both end the running command through its context.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
