package agent

import (
	"context"
	"fmt"

	"propusk/server/signrequest"
)

// FetchCard asks a gateway, by the origin of its public host, for what it publishes for
// agents. The CAs are as of [Gateway]. Whether its keys are the right ones nobody has
// checked but the CA of its TLS certificate: compare their IDs with what the owner of
// the gateway gave out.
func FetchCard(ctx context.Context, origin string, ca []byte) (signrequest.Card, error) {
	client, err := gatewayClient(ca)
	if err != nil {
		return signrequest.Card{}, err
	}
	body, err := getLimited(ctx, client, origin+signrequest.WellKnown, signrequest.MaxCard)
	if err != nil {
		return signrequest.Card{}, err
	}
	card, err := signrequest.ParseCard(body)
	if err != nil {
		return signrequest.Card{}, err
	}
	if card.URL != origin {
		return signrequest.Card{}, fmt.Errorf("%s says that it is %s: enrol it under that address", origin, card.URL)
	}
	return card, nil
}
