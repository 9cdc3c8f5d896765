package main

import "github.com/spf13/cobra"

// newServeCommand returns `propusk serve`.
func newServeCommand() *cobra.Command {
	return &cobra.Command{Use: "serve"}
}
