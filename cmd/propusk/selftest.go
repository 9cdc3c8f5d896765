package main

import "github.com/spf13/cobra"

// newSelftestCommand returns `propusk selftest`.
func newSelftestCommand() *cobra.Command {
	return &cobra.Command{Use: "selftest"}
}
