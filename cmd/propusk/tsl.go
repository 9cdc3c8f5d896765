package main

import "github.com/spf13/cobra"

// newTSLCommand returns `propusk tsl`.
func newTSLCommand() *cobra.Command {
	return &cobra.Command{Use: "tsl"}
}
