// Package xmldsig verifies and makes XML signatures (W3C XML Signature Syntax
// and Processing, second edition; here «XMLDSig») with GOST algorithms, as used
// by the list of accredited certification authorities, and canonicalises XML
// (Canonical XML 1.0 and Exclusive XML Canonicalization 1.0).
//
// [Verify] is for documents that carry one enveloped signature over the whole:
// nothing in such a document is outside the signature. [Inspect] is for the
// rest: it reports, signature by signature, what was covered.
package xmldsig
