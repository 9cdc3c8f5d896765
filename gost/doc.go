// Package gost is the root of implementations of the Russian cryptographic standards:
// it tests them all before first use ([SelfTest]), and says which of them run in
// constant time.
//
// # Timing
//
// An operation is constant-time if neither its duration, nor the addresses it uses,
// nor the branches it takes depend on the secret. How that was checked:
//
//   - measured: TestTiming of gost3410, on all curves and every path, and of this
//     package, where the assembly runs, compare a fixed secret with random ones by
//     Welch's t-test; run them with PROPUSK_TIMING=1. Second tests make sure that the
//     measurement sees a leak. It does not see a small table that stays in the cache.
//   - tainted: a test runs the operation under valgrind, which is told that the secret
//     is undefined memory and reports every branch and every address that depends on
//     it, in Go and in assembly (gost3410/internal/taint). What may be reported, such
//     as that a number is out of range, is listed in the test with the reason.
//     Valgrind knows no AVX-512.
//   - scanned: tests read the assembly with AVX-512, that of ciphers and hash functions
//     (TestAssembly of this package) and that of eight lanes (gost3410/internal/ifma): what
//     comes from memory gets neither into an address nor into the condition of a jump.
//   - construction: the code, or the generator that wrote it, has no branch and no
//     index that depends on data. Nothing but reading was done to check it.
//   - no: it is known not to be, for the reason given.
//   - asm: yes where the assembly runs, which looks up inside registers: on amd64
//     processors with AVX-512, VBMI and GFNI, unless the build tag purego is set. No
//     elsewhere: tables in memory show something of key and data through the cache.
//
// The table:
//
//	gost3410.PrivateKey.Sign         yes   measured, tainted; on eight lanes measured, scanned;
//	                                       but for the hash of the nonce, see streebog
//	gost3410.PrivateKey.SharedPoint  yes   measured, tainted; on eight lanes measured, scanned
//	gost3410.NewPrivateKey, Bytes    yes   measured (multiplication of the base point), tainted; on eight
//	                                       lanes measured, scanned
//	gost3410.NewMaskedPrivateKey     yes   measured (arithmetic modulo the order), construction
//	gost3410.GenerateKey             yes   as NewPrivateKey; rejected candidates show, they are independent
//	gost3410.PrivateKey.Equal        yes   construction
//	gost3410.NewPublicKey, Verify,   no    public values only
//	  VerifyMany, KeyCache
//	vko.VKO256, VKO512, KEG          yes   as SharedPoint, but for the hash of the result, see streebog
//	vko.KEG28147                     yes   as VKO256, but for the diversification, see gost28147
//	pkcs8.Parse, Marshal             yes   construction, after the form of the encoding is known
//	spki                             no    public values only
//	streebog                         asm   measured, scanned; elsewhere tables in memory
//	kdf                              asm   measured; as streebog
//	magma                            asm   measured, scanned; elsewhere tables in memory
//	kuznyechik                       asm   measured, scanned; elsewhere, and Decrypt, tables in memory
//	modes                            asm   measured; counters and subkeys by construction, the rest as the cipher
//	mgm: multiplication, tags        yes   measured, scanned; in Go construction; the rest as the cipher
//	keywrap: the comparison of tags  yes   measured, construction (crypto/subtle); the rest as the cipher
//	keywrap.KImp28147Or              yes   measured, construction: whether the import succeeded; the rest as the cipher
//	gost28147                        asm   measured, scanned; elsewhere tables in memory
//	gostr341194                      asm   measured; as gost28147; elsewhere tables in memory
//	gosttls                                as what it is made of
//
// What has tables in memory, if only on some processors, handles keys of one session,
// and data. A long-term private key goes through the arithmetic of gost3410 only, and
// through the hash of a nonce, which masks it with fresh randomness first.
package gost
