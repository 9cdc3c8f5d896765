// Command propusk-agent signs with the token of a person for gateways that the person
// enrolled: see package agent.
package main

import (
	"os"

	"propusk/tokens"
)

func main() {
	tokens.ServeIfChild()
	os.Exit(0)
}
