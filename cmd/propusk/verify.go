package main

import "github.com/spf13/cobra"

// newVerifyCommand returns `propusk verify`.
func newVerifyCommand() *cobra.Command {
	return &cobra.Command{Use: "verify"}
}
