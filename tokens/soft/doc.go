// Package soft is a token in software: a directory with certificates, data and keys
// of GOST R 34.10-2012 that behaves as a PKCS#11 token does, with two PINs, counters of
// tries that lock, and private keys that never leave it. It serves demonstrations,
// tests, and people without a hardware token who accept what it is.
//
// # What it protects
//
// Private keys and private data are sealed by Kuznyechik-MGM (RFC 9058) under a random key, which is
// itself sealed under a key from each PIN (Argon2id, RFC 9106). Whoever can write the
// directory can put the counters back, and whoever can read it can guess PINs on his
// own machine, slowed down by Argon2id only. A hardware token prevents both. The
// private key is in the memory of the process while it is in use.
//
// # Files
//
// A directory is one token: "token" holds the label, the serial number and the two
// sealed secrets, "*.obj" one object each, "lock" nothing. All of it is strict DER.
// Files are replaced as a whole, so that a crash leaves the old or the new one.
// Several processes may use a token at once. A directory without "token" is a token
// that is not initialised.
//
// Package tokens/soft/module makes a PKCS#11 library of it.
package soft
