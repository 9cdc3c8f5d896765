package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"propusk/cmd/internal/agent"
	"propusk/cmd/internal/keyring"
	"propusk/server/signrequest"
	"propusk/tokens"
)

// demoPhrase is what people of the demo know their agent by.
const demoPhrase = "Зелёный слон на синем мосту"

// tokensDir is where the soft tokens of people are, each in a directory of its name.
func (o demoOptions) tokensDir() string { return filepath.Join(o.dir, "tokens") }

// agentAddress is on this machine wherever the rest is: an agent serves who sits at it.
func (o demoOptions) agentAddress() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(o.portBase+demoAgentPort))
}

// agent gives everybody a token and puts the agent together, with the gateway of the demo
// enrolled.
func (d *demoRun) agent(context.Context) error {
	var people []keyring.Person
	for _, p := range d.manifest.People {
		people = append(people, keyring.Person{ID: p.ID, Name: p.ID, PIN: p.PIN, Cert: p.Cert, Key: p.Key})
	}
	if err := keyring.Fill(d.options.tokensDir(), people); err != nil {
		return err
	}
	ca, err := os.ReadFile(d.manifest.TLS.CA)
	if err != nil {
		return err
	}
	key, err := requestKey(d.config.Challenge.Keys[0])
	if err != nil {
		return err
	}
	d.tokenAgent, err = agent.New(agent.Options{
		Gateways: []agent.Gateway{{
			Gateway: signrequest.Gateway{URL: d.config.Public.URL, Name: d.config.Challenge.Name, Keys: []signrequest.Key{key}}, CA: ca,
		}},
		Modules: []string{tokens.SoftScheme + d.options.tokensDir()}, Phrase: demoPhrase, Version: buildVersion(), Log: newLog(d.log, d.config),
	})
	return err
}

// requestKey reads the public half of the key that the gateway signs its requests with.
func requestKey(path string) (signrequest.Key, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return signrequest.Key{}, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return signrequest.Key{}, fmt.Errorf("%s: not PEM", path)
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return signrequest.Key{}, fmt.Errorf("%s: %w", path, err)
	}
	key, ok := private.(*ecdsa.PrivateKey)
	if !ok {
		return signrequest.Key{}, fmt.Errorf("%s: not a key of ECDSA", path)
	}
	return signrequest.NewKey(&key.PublicKey)
}
