package main

import "github.com/spf13/cobra"

const (
	demoCheckPort   = 0
	demoPublicPort  = 3
	demoSignInPort  = 4
	demoCabinetPort = 5
	demoAgentPort   = 6 // kept free for propusk-agent
	demoAdminPort   = 9
)

const demoFile = "demo.json"

type demoOptions struct {
	dir      string
	host     string
	portBase int
	verbose  bool
}

// newDemoCommand returns `propusk demo`.
func newDemoCommand() *cobra.Command {
	return &cobra.Command{Use: "demo"}
}
