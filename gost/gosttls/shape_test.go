package gosttls

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

// derNode is an element of DER. What follows the one byte of unused bits of a BIT STRING
// counts as its children, since the keys of RFC 9215 have DER there.
type derNode struct {
	tag      byte
	bits     bool // a BIT STRING whose first byte is not in content and children
	content  []byte
	children []*derNode
}

// parseDER returns the elements of valid DER with lengths of less than 64 KiB.
func parseDER(t testing.TB, der []byte) []*derNode {
	t.Helper()
	var all []*derNode
	for len(der) > 0 {
		n, header := int(der[1]), 2
		switch der[1] {
		case 0x81:
			n, header = int(der[2]), 3
		case 0x82:
			n, header = int(der[2])<<8|int(der[3]), 4
		}
		node := &derNode{tag: der[0]}
		content := der[header : header+n]
		switch {
		case node.tag == 3:
			node.bits = true
			node.children = parseDER(t, content[1:])
		case node.tag&0x20 != 0:
			node.children = parseDER(t, content)
		default:
			node.content = content
		}
		all = append(all, node)
		der = der[header+n:]
	}
	return all
}

// der returns the element, with lengths that fit.
func (n *derNode) der() []byte {
	if n.tag == rawTag {
		return n.content
	}
	inside := n.inside()
	return slices.Concat([]byte{n.tag}, derLength(len(inside)), inside)
}

// rawTag marks a node that stands for its content as it is.
const rawTag = 0

func (n *derNode) inside() []byte {
	var b []byte
	if n.bits {
		b = []byte{0}
	}
	b = append(b, n.content...)
	for _, child := range n.children {
		b = append(b, child.der()...)
	}
	return b
}

// walk calls f for an element and all elements below it. The path says where they are.
func (n *derNode) walk(path string, f func(path string, n *derNode)) {
	f(path, n)
	for i, child := range slices.Clone(n.children) {
		child.walk(fmt.Sprintf("%s.%d", path, i), f)
	}
}

func derLength(n int) []byte {
	switch {
	case n < 0x80:
		return []byte{byte(n)}
	case n < 0x100:
		return []byte{0x81, byte(n)}
	}
	return []byte{0x82, byte(n >> 8), byte(n)}
}

// A shape is a body that is not as it was, and how.
type shape struct {
	name string
	body []byte
}

// shapesOf returns every way in which this test knows to spoil one element of DER and
// leave the rest, lengths above it included, in order.
func shapesOf(t testing.TB, der []byte) []shape {
	t.Helper()
	root := parseDER(t, der)[0]
	if !bytes.Equal(root.der(), der) {
		t.Fatalf("%x comes back as %x", der, root.der())
	}
	var all []shape
	add := func(path, name string) {
		if body := root.der(); !bytes.Equal(body, der) {
			all = append(all, shape{path + ": " + name, body})
		}
	}
	root.walk("0", func(path string, n *derNode) {
		for _, v := range variants(n) {
			good := *n
			*n = derNode{tag: rawTag, content: v.body}
			add(path, v.name)
			*n = good
		}
		for i := 1; i < len(n.children); i++ {
			n.children[i-1], n.children[i] = n.children[i], n.children[i-1]
			add(path, fmt.Sprintf("%d before %d", i, i-1))
			n.children[i-1], n.children[i] = n.children[i], n.children[i-1]
		}
	})
	return all
}

// variants returns spoilt forms of an element.
func variants(n *derNode) []shape {
	good, inside := n.der(), n.inside()
	with := func(tag byte, length, inside []byte) []byte { return slices.Concat([]byte{tag}, length, inside) }
	length := derLength(len(inside))
	all := []shape{
		{"absent", nil},
		{"twice", slices.Concat(good, good)},
		{"empty", []byte{n.tag, 0}},
		{"NULL", []byte{5, 0}},
		{"NULL after it", slices.Concat(good, []byte{5, 0})},
		{"a zero after it", slices.Concat(good, []byte{0})},
		{"indefinite length", with(n.tag, []byte{0x80}, slices.Concat(inside, []byte{0, 0}))},
		{"longer form of the length", with(n.tag, []byte{0x83, 0, byte(len(inside) >> 8), byte(len(inside))}, inside)},
		{"length with a leading zero", with(n.tag, append([]byte{0x80 | byte(max(len(length), 2)), 0}, length[max(0, len(length)-1):]...), inside)},
		{"length of 2^32-1", with(n.tag, []byte{0x84, 0xff, 0xff, 0xff, 0xff}, inside)},
		{"length of 2^64-1", with(n.tag, append([]byte{0x88}, bytes.Repeat([]byte{0xff}, 8)...), inside)},
		{"length one more", with(n.tag, derLength(len(inside)+1), inside)},
		{"one byte more", with(n.tag, derLength(len(inside)+1), append(slices.Clone(inside), 0))},
		{"header only", good[:1]},
		{"long tag", slices.Concat([]byte{n.tag | 0x1f}, length, inside)},
	}
	if len(inside) > 0 {
		all = append(all,
			shape{"length one less", with(n.tag, derLength(len(inside)-1), inside)},
			shape{"one byte less", with(n.tag, derLength(len(inside)-1), inside[:len(inside)-1])},
			shape{"length of half", with(n.tag, derLength(len(inside)/2), inside)},
			shape{"half", with(n.tag, derLength(len(inside)/2), inside[:len(inside)/2])},
		)
	}
	for _, tag := range []byte{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x24, 0x30, 0x31, 0x80, 0x81, 0xa0, 0xa1, n.tag ^ 0x20, n.tag ^ 0x40} {
		if tag != n.tag {
			all = append(all, shape{fmt.Sprintf("tag %02x", tag), with(tag, length, inside)})
		}
	}
	return all
}
