package main

import "os"

// checkPrivate is for systems where a home directory may be open to others: that of a
// user of Windows is not.
func checkPrivate(*os.File) error { return nil }
