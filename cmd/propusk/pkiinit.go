package main

import "github.com/spf13/cobra"

// newPKICommand returns `propusk pki`.
func newPKICommand() *cobra.Command {
	return &cobra.Command{Use: "pki"}
}
