package main

import "github.com/spf13/cobra"

// newCertCommand returns `propusk cert`.
func newCertCommand() *cobra.Command {
	return &cobra.Command{Use: "cert"}
}
