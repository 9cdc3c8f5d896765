package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"propusk/certs"
	"propusk/pki/reason"
	"propusk/server"
	"propusk/server/config"
)

// newServeCommand returns `propusk serve`.
func newServeCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Запустить сервис / run the gateway",
		Long: "Runs the gateway until SIGTERM or SIGINT, then lets requests under way finish. The log goes to standard error,\n" +
			"one JSON document a line.\n\nTrust data that do not load at start do not stop the gateway: it answers that nothing can be decided yet,\n" +
			"is not ready, and keeps trying.",
		Example: "  propusk config sample > propusk.yaml\n  propusk config check propusk.yaml\n  propusk serve --config propusk.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), file, cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "файл настроек / the configuration file")
	if err := cmd.MarkFlagRequired("config"); err != nil {
		panic("propusk: " + err.Error())
	}
	return cmd
}

// serve runs the gateway until ctx ends.
func serve(ctx context.Context, file string, log io.Writer) error {
	c, err := loadConfig(file)
	if err != nil {
		return err
	}
	store := certs.NewStore(server.TrustSource(c.Trust), time.Now)
	s, err := newServer(c, store, log)
	if err != nil {
		return err
	}
	if err := s.Run(ctx); !errors.Is(err, context.Canceled) {
		return explainListen(err, "остановите её или измените адрес в настройках", "stop it, or change the address in the configuration")
	}
	return nil // it was told to end before it had begun
}

// explainListen says what to do if err is that of a port that could not be opened;
// ru and en say how to get another one. Every other error, nil too, stays as it is.
func explainListen(err error, ru, en string) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w\nПорт занят другой программой: %s\nAnother program has the port: %s", err, ru, en)
	case errors.Is(err, syscall.EACCES) && errors.As(err, new(*net.OpError)):
		return fmt.Errorf("%w\nПорты до 1024 открывает только привилегированный пользователь: дайте программе CAP_NET_BIND_SERVICE или возьмите другой порт\n"+
			"Ports below 1024 are for privileged users: give the program CAP_NET_BIND_SERVICE, or take another port", err)
	}
	return err
}

// loadConfig reads a valid configuration; the error has a reason code.
func loadConfig(file string) (config.Config, error) {
	c, err := config.Load(file)
	switch {
	case errors.As(err, new(*fs.PathError)):
		return c, reason.New(reason.ConfigUnreadable, err)
	case err != nil:
		return c, reason.New(reason.ConfigInvalid, err)
	}
	return c, nil
}

// newServer puts a server together.
func newServer(c config.Config, store *certs.Store, log io.Writer) (*server.Server, error) {
	return server.New(server.Options{
		Config:  c,
		Trust:   store,
		Log:     newLog(log, c),
		Version: buildVersion(),
	})
}

// newLog returns a log of JSON lines at the level of a valid configuration.
func newLog(w io.Writer, c config.Config) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		level = slog.LevelInfo
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}
