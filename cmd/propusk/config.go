package main

import "github.com/spf13/cobra"

// newConfigCommand returns `propusk config`.
func newConfigCommand() *cobra.Command {
	return &cobra.Command{Use: "config"}
}
