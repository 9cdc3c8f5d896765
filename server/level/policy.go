package level

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"propusk/pki/gostx509"
	"propusk/pki/person"
)

// Text is a text in both languages.
type Text struct {
	RU string `yaml:"ru"`
	EN string `yaml:"en"`
}

// Service is one of the things that a client offers, and what it wants of a person.
type Service struct {
	// ID names the service in addresses: the parameter service of an authorization request.
	ID string
	// Client is the client_id of the client that offers it.
	Client string
	// Name is what people call it.
	Name Text
	// Level is what it wants of everybody.
	Level Level
	// Kinds are the kinds of holders of whom it wants something else (BY-05).
	Kinds map[person.Kind]Level
	// Physical wants a key that does not leave its device (BY-06).
	Physical bool
}

// For returns what the service wants of a holder of a kind; of one whose kind is not known
// yet, "", it wants the least that it wants of anybody.
func (s Service) For(kind person.Kind) Need {
	n := Need{Level: s.Level, Physical: s.Physical}
	if kind == "" {
		for _, l := range s.Kinds {
			n.Level = min(n.Level, l)
		}
	} else if l, ok := s.Kinds[kind]; ok {
		n.Level = l
	}
	return n
}

// Policy is what services want. The zero value knows no service, and wants QES everywhere.
// It is not changed after it was read, and safe for concurrent use.
type Policy struct {
	clients  map[string]Level
	services []Service
	devices  []string
}

// Limits of a policy file.
const (
	maxFile     = 1 << 20 // bytes
	maxServices = 1000
	maxDevices  = 100
	maxName     = 200 // characters
)

// identifier is what IDs of services look like: they stand in addresses.
var identifier = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)

// Load reads a policy file.
func Load(path string) (*Policy, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("level: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("level: %w", err)
	}
	p, err := ParsePolicy(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// document is a policy file. Levels are pointers so that a forgotten one is found: it must
// not come to mean Open.
type document struct {
	Clients  map[string]*Level `yaml:"clients"`
	Devices  []string          `yaml:"devices"`
	Services []struct {
		ID       string            `yaml:"id"`
		Client   string            `yaml:"client"`
		Name     Text              `yaml:"name"`
		Level    *Level            `yaml:"level"`
		Kinds    map[string]*Level `yaml:"kinds"`
		Physical bool              `yaml:"physical"`
	} `yaml:"services"`
}

// ParsePolicy reads a policy, of at most 1 MiB. Unknown fields, a service without a level and
// whatever would let somebody in by mistake are errors.
func ParsePolicy(data []byte) (*Policy, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("level: more than %d bytes", maxFile)
	}
	var doc document
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("level: %w", err)
	}
	if err := dec.Decode(new(document)); !errors.Is(err, io.EOF) {
		return nil, errors.New("level: more than one document")
	}
	p := &Policy{clients: make(map[string]Level), devices: doc.Devices}
	for client, l := range doc.Clients {
		if l == nil || client == "" {
			return nil, fmt.Errorf("level: clients: %q has no level", client)
		}
		p.clients[client] = *l
	}
	if err := checkDevices(doc.Devices); err != nil {
		return nil, err
	}
	if len(doc.Services) > maxServices {
		return nil, fmt.Errorf("level: more than %d services", maxServices)
	}
	for i, d := range doc.Services {
		if d.Level == nil {
			return nil, fmt.Errorf("level: services[%d]: no level", i)
		}
		s := Service{ID: d.ID, Client: d.Client, Name: d.Name, Level: *d.Level, Physical: d.Physical, Kinds: make(map[person.Kind]Level)}
		for kind, l := range d.Kinds {
			if l == nil {
				return nil, fmt.Errorf("level: services[%d]: kinds: %q has no level", i, kind)
			}
			s.Kinds[person.Kind(kind)] = *l
		}
		if err := p.add(s); err != nil {
			return nil, fmt.Errorf("level: services[%d]: %w", i, err)
		}
	}
	return p, nil
}

// checkDevices checks names of tools: an empty one would be in every certificate.
func checkDevices(names []string) error {
	if len(names) > maxDevices {
		return fmt.Errorf("level: more than %d devices", maxDevices)
	}
	for _, name := range names {
		if err := checkName(name); err != nil {
			return fmt.Errorf("level: devices: %w", err)
		}
	}
	return nil
}

// add checks a service and adds it.
func (p *Policy) add(s Service) error {
	if !identifier.MatchString(s.ID) {
		return errors.New("id must be 1 to 64 small letters, digits and hyphens")
	}
	if s.Client == "" {
		return errors.New("no client")
	}
	if err := errors.Join(checkName(s.Name.RU), checkName(s.Name.EN)); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	if _, ok := p.Service(s.Client, s.ID); ok {
		return fmt.Errorf("%q is there twice", s.ID)
	}
	for kind := range s.Kinds {
		if !slices.Contains([]person.Kind{person.Entrepreneur, person.LegalEntity, person.Person}, kind) {
			return fmt.Errorf("kinds: %q is not ip, ul or fl", kind)
		}
	}
	if s.Physical && (s.Level != QES || len(s.Kinds) > 0) {
		return errors.New("physical wants the level qes, of everybody")
	}
	p.services = append(p.services, s)
	return nil
}

func checkName(name string) error {
	if strings.TrimSpace(name) == "" || utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("a name must have 1 to %d characters, in both languages", maxName)
	}
	return nil
}

// Services returns the services of a client, in the order of the file.
func (p *Policy) Services(client string) []Service {
	if p == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(p.services), func(s Service) bool { return s.Client != client })
}

// All returns all services, in the order of the file.
func (p *Policy) All() []Service {
	if p == nil {
		return nil
	}
	return slices.Clone(p.services)
}

// Clients returns the clients that the policy names, in no order.
func (p *Policy) Clients() []string {
	if p == nil {
		return nil
	}
	var names []string
	for client := range p.clients {
		names = append(names, client)
	}
	for _, s := range p.services {
		names = append(names, s.Client)
	}
	return names
}

// Service returns a service of a client, and false if it has none with this ID.
func (p *Policy) Service(client, id string) (Service, bool) {
	if p == nil {
		return Service{}, false
	}
	i := slices.IndexFunc(p.services, func(s Service) bool { return s.Client == client && s.ID == id })
	if i < 0 {
		return Service{}, false
	}
	return p.services[i], true
}

// Required returns what a service of a client wants of a holder of a kind, "" if that is not
// known yet. Service "" is the client as such. What the policy does not know wants QES.
func (p *Policy) Required(client, service string, kind person.Kind) Need {
	if p == nil {
		return Need{Level: QES}
	}
	if service != "" {
		if s, ok := p.Service(client, service); ok {
			return s.For(kind)
		}
		return Need{Level: QES}
	}
	if l, ok := p.clients[client]; ok {
		return Need{Level: l}
	}
	return Need{Level: QES}
}

// Physical reports whether the tool that a certificate names for its holder's key is one of
// those that do not let it out, as the operator says. The tool is named by the CA, which has
// seen it (63-ФЗ, ст. 17, ч. 2; приказ ФСБ № 795, п. 22).
func (p *Policy) Physical(certificate []byte) bool {
	if p == nil || len(p.devices) == 0 {
		return false
	}
	cert, err := gostx509.Parse(certificate)
	if err != nil {
		return false
	}
	tool := strings.ToLower(cert.SubjectSignTool)
	return slices.ContainsFunc(p.devices, func(name string) bool { return strings.Contains(tool, strings.ToLower(name)) })
}
