package main

import "fmt"

// An operation is one thing that is measured.
type operation struct {
	name   string // of our benchmark and that of gogost, and in the table
	engine string // what the C program calls it
	bytes  int    // processed, or 0 for operations that count as such
}

// curves are the curves under our names and those of gost-engine.
var curves = []struct {
	name   string
	engine string
	bits   int
}{
	{"CryptoPro-A", "A", 256},
	{"CryptoPro-B", "B", 256},
	{"CryptoPro-C", "C", 256},
	{"tc26-256-A", "TCA", 256},
	{"tc26-512-A", "A", 512},
	{"tc26-512-B", "B", 512},
	{"tc26-512-C", "C", 512},
}

const long = 16384 // bytes, the most that a TLS record holds

// operations returns everything that is measured, in the order of the table.
func operations() []operation {
	ops := []operation{
		{"streebog256-64", "hash/md_gost12_256/64", 64},
		{"streebog256-1024", "hash/md_gost12_256/1024", 1024},
		{"streebog256-16384", "hash/md_gost12_256/16384", long},
		{"streebog256-4x4096", "hash/md_gost12_256/16384", long}, // the engine hashes as much in one message
		{"streebog512-16384", "hash/md_gost12_512/16384", long},
		{"gostr341194-16384", "hash/md_gost94/16384", long},
		{"kuznyechik-ctr", "cipher/kuznyechik-ctr/16384", long},
		{"kuznyechik-ctr-acpkm", "cipher/kuznyechik-ctr-acpkm/16384", long},
		{"kuznyechik-omac", "mac/kuznyechik-mac/16384", long},
		{"kuznyechik-omac-16x1024", "mac/kuznyechik-mac/16384", long}, // the engine has no codes of several messages
		{"magma-ctr", "cipher/magma-ctr/16384", long},
		{"magma-ctr-acpkm", "cipher/magma-ctr-acpkm/16384", long},
		{"magma-omac", "mac/magma-mac/16384", long},
		{"magma-omac-16x1024", "mac/magma-mac/16384", long},
		{"kuznyechik-mgm", "cipher/kuznyechik-mgm/16384", long},
		{"magma-mgm", "cipher/magma-mgm/16384", long},
		{"gost28147-cnt", "cipher/gost89-cnt-12/16384", long},
		{"gost28147-imit", "mac/gost-mac-12/16384", long},
	}
	// The engine and gogost keep nothing of a key that they have seen.
	for _, kind := range []struct{ name, engine string }{
		{"verify", "verify"}, {"verify-again", "verify"}, {"verify-8", "verify"}, {"sign", "sign"}, {"agree", "agree"},
	} {
		for _, c := range curves {
			ops = append(ops, operation{
				name:   kind.name + "-" + c.name,
				engine: fmt.Sprintf("%s/%s/%d", kind.engine, c.engine, c.bits),
			})
		}
	}
	// For scale: what crypto/ecdsa takes for a curve of this size, beside the same operation
	// of the engine as verify-CryptoPro-A.
	return append(ops, operation{"ecdsa-verify-P-256", "verify/A/256", 0})
}
