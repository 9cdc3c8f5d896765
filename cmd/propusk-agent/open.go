package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"propusk/server/signrequest"
)

// Waiting for an agent that was started.
const (
	startTime     = 30 * time.Second
	startInterval = 50 * time.Millisecond
)

func (a *app) openCommand() *cobra.Command {
	return &cobra.Command{
		Use: "open [" + program + "://…]", Short: "Открыть страницу агента, запустив его, если нужно / open the agent's page, starting it if need be",
		Long: "What the desktop calls for links of the scheme " + program + ". " + program + "://sign?request=… opens the page of a request;\n" +
			"any page of the web can have such a link, so nothing else is taken from it.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			link := program + "://start"
			if len(args) == 1 {
				link = args[0]
			}
			return a.open(cmd.Context(), link)
		},
	}
}

// open opens the page that a link names.
func (a *app) open(ctx context.Context, link string) error {
	page, err := pageOf(link)
	if err != nil {
		return err
	}
	s, err := readSettings(a.config)
	if err != nil {
		return err
	}
	port, running := find(ctx, s.Ports)
	if !running {
		if err := a.start(); err != nil {
			return err
		}
		if port, err = wait(ctx, s.Ports); err != nil {
			return err
		}
	}
	address := fmt.Sprintf("http://127.0.0.1:%d%s", port, page)
	if err := a.browser(address); err != nil {
		return fmt.Errorf("откройте страницу в браузере сами / open the page in a browser yourself: %s (%w)", address, err)
	}
	return nil
}

// pageOf returns the page of the agent that a link names: the home page, or /sign with a
// request, whose form alone is looked at.
func pageOf(link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != program {
		return "", errors.New("это не ссылка " + program + ":// / not a link of " + program)
	}
	action := strings.Trim(u.Host+u.Path+u.Opaque, "/")
	switch action {
	case "start", "":
		return "/", nil
	case "sign":
	default:
		return "", errors.New("ссылка с неизвестным действием / a link with an unknown action")
	}
	request := u.Query()["request"]
	if len(request) != 1 || len(request[0]) > signrequest.MaxToken || !compactJWS(request[0]) {
		return "", errors.New("в ссылке нет запроса на подпись / there is no request for a signature in the link")
	}
	return "/sign?request=" + request[0], nil
}

// compactJWS reports whether a text has the characters of one.
func compactJWS(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
}

// wait waits until an agent answers.
func wait(ctx context.Context, ports []int) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	ticker := time.NewTicker(startInterval)
	defer ticker.Stop()
	for {
		if port, running := find(ctx, ports); running {
			return port, nil
		}
		select {
		case <-ctx.Done():
			return 0, errors.New("агент не запустился / the agent did not start")
		case <-ticker.C:
		}
	}
}

// startDetached starts an agent that goes on when this process ends.
func (a *app) startDetached() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "--config", a.config, "run") //nolint:gosec // ourselves
	cmd.SysProcAttr = detached()
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}
