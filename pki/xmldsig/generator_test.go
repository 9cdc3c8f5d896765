package xmldsig

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// generator makes random well-formed documents.
type generator struct {
	*rand.Rand
	b      strings.Builder
	scopes []map[string]string // prefix to namespace, innermost last
}

func newGenerator(seed uint64) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
}

func (g *generator) pick(from ...string) string { return from[g.IntN(len(from))] }

func (g *generator) document() []byte {
	g.b.Reset()
	g.b.WriteString(g.pick("", "<?xml version='1.0'?>", "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\r\n"))
	g.misc()
	g.scopes = []map[string]string{{"": ""}}
	g.element(0)
	g.misc()
	return []byte(g.b.String())
}

func (g *generator) misc() {
	for range g.IntN(3) {
		g.b.WriteString(g.pick("\n", " \r\n", "<!-- c\r\n -->", "<?pi?>", "<?pi  a=\"b\" ?>", "<!---->"))
	}
}

// element writes one element with random namespace declarations and attributes.
func (g *generator) element(depth int) {
	scope := make(map[string]string)
	for p, s := range g.scopes[len(g.scopes)-1] {
		scope[p] = s
	}
	var declared strings.Builder
	for _, p := range []string{"", "a", "b", "ц"} {
		if g.IntN(3) != 0 {
			continue
		}
		s := g.pick("urn:x", "urn:y", "http://z.example/?a=b")
		if p == "" && g.IntN(3) == 0 {
			s = ""
		}
		scope[p] = s
		name := "xmlns"
		if p != "" {
			name += ":" + p
		}
		fmt.Fprintf(&declared, "%s%s=%q", g.pick(" ", "\n", "  "), name, s)
	}
	g.scopes = append(g.scopes, scope)
	name := g.name(scope)
	g.b.WriteString("<" + name + declared.String())
	g.attributes(scope)
	if g.IntN(4) == 0 {
		g.b.WriteString(g.pick("/>", " />"))
	} else {
		g.b.WriteString(">")
		for range g.IntN(5) {
			g.content(depth)
		}
		g.b.WriteString("</" + name + g.pick("", " ", "\n") + ">")
	}
	g.scopes = g.scopes[:len(g.scopes)-1]
}

func (g *generator) name(scope map[string]string) string {
	local := g.pick("e", "Имя", "x-1", "_y.z")
	if p := g.pick("", "a", "b", "ц"); p != "" && scope[p] != "" {
		return p + ":" + local
	}
	return local
}

func (g *generator) attributes(scope map[string]string) {
	seen := make(map[string]bool)
	for range g.IntN(4) {
		prefix, local := g.pick("", "", "a", "b", "ц", "xml"), g.pick("k", "l", "lang")
		space := scope[prefix]
		if prefix == "xml" {
			space, local = "xml", "lang"
		}
		if prefix != "" && space == "" || seen[space+" "+local] && prefix != "" || prefix == "" && seen[" "+local] {
			continue
		}
		if prefix == "" {
			space = ""
		} else {
			local = prefix + ":" + local
		}
		seen[space+" "+strings.TrimPrefix(local, prefix+":")] = true
		value := g.pick("v", "", "&#13;&#10;", "a\tb\r\nc\rd\ne", "&lt;&amp;&gt;&quot;&apos;>", "  Ы &#x1F511; ")
		g.b.WriteString(g.pick(" ", "\n\t") + local + g.pick(`="`+value+`"`, `='`+value+`'`, ` = "`+value+`"`))
	}
}

func (g *generator) content(depth int) {
	switch g.IntN(6) {
	case 0, 1:
		if depth < 5 {
			g.element(depth + 1)
		}
	case 2:
		g.b.WriteString(g.pick("text", " \r\n ", "a > b", "&#13;", "&amp;&lt;&gt;&quot;&apos;", "Ёлка]]"))
	case 3:
		g.b.WriteString(g.pick("<![CDATA[]]>", "<![CDATA[<&>\r\n\"']]>", "<![CDATA[]]]]><![CDATA[>]]>"))
	case 4:
		g.b.WriteString(g.pick("<!---->", "<!-- -\r- -->"))
	case 5:
		g.b.WriteString(g.pick("<?p?>", "<?p \r\n q\r\n?>"))
	}
}

// damage changes, removes or repeats a few bytes.
func (g *generator) damage(doc []byte) []byte {
	d := append([]byte(nil), doc...)
	for range 1 + g.IntN(2) {
		i := g.IntN(len(d))
		switch g.IntN(4) {
		case 0:
			d[i] = "<>&\"'/= \r!?-]:ax;#\x00\x80"[g.IntN(20)]
		case 1:
			d = append(d[:i], d[i+1:]...)
		case 2:
			d = append(d[:i:i], append([]byte(g.pick("&", "<", "]]>", "<!--", "-", "\r", "a:", " ", "&#x;", "xmlns='u'")), d[i:]...)...)
		case 3:
			j := i + g.IntN(min(20, len(d)-i))
			d = append(d[:j:j], d[i:]...)
		}
		if len(d) == 0 {
			return []byte(" ")
		}
	}
	return d
}
