package main

import "github.com/spf13/cobra"

// newDemoCommand returns `propusk demo`.
func newDemoCommand() *cobra.Command {
	return &cobra.Command{Use: "demo"}
}
