package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/server/config"
	"propusk/tokens"
	"propusk/tokens/keyring"
)

// probeEvery is how often a module that is lost is looked for when nobody needs it.
const probeEvery = 10 * time.Second

// Options is what a Keeper needs.
type Options struct {
	Config config.Verification
	// Log receives what operators must know; nil means nobody listens.
	Log *slog.Logger
	// Now returns the time; nil is time.Now.
	Now func() time.Time
	// Observe is told of each signature that the engine was asked about; nil means nobody
	// is.
	Observe func(sigalg.Computed)
	// Open opens libraries; nil is tokens.Open.
	Open func(path string, o ...tokens.Option) (*tokens.Module, error)
}

// Keeper is the engine of a gateway. A nil Keeper is this program. It is safe for
// concurrent use. Make it with New.
type Keeper struct {
	o      Options
	module *Module
	choice *sigalg.Choice

	mu     sync.Mutex
	counts map[sigalg.Outcome]uint64
	last   time.Time // disagreement
	lost   bool      // what was logged last
}

// New returns the engine that a configuration names; nil if that is this program.
// Nothing is connected yet.
func New(o Options) *Keeper {
	if !o.Config.External() {
		return nil
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	k := &Keeper{o: o, counts: make(map[sigalg.Outcome]uint64)}
	k.module = NewModule(ModuleOptions{
		Path: o.Config.Module, Token: o.Config.Token, PIN: PINFile(o.Config.PINFile), Sessions: o.Config.Sessions,
		Now: o.Now, Open: o.Open,
	})
	k.choice = &sigalg.Choice{
		Engine: k.module, Both: o.Config.Both(), Fallback: o.Config.Fallback(), Observe: k.computed,
	}
	return k
}

// PINFile reads the PIN from a file each time it is asked for, as [keyring.ReadPIN] does;
// nil for no file.
func PINFile(path string) tokens.PINSource {
	if path == "" {
		return nil
	}
	return func() ([]byte, error) { return keyring.ReadPIN(path) }
}

// Choice is who computes; nil is this program.
func (k *Keeper) Choice() *sigalg.Choice {
	if k == nil {
		return nil
	}
	return k.choice
}

// Close ends the sessions with the module, for those who do not call Run.
func (k *Keeper) Close() error {
	if k == nil {
		return nil
	}
	return k.module.Close()
}

// Run connects the module, and looks for it while it is lost. It returns when ctx ends,
// and closes it then.
func (k *Keeper) Run(ctx context.Context) {
	if k == nil {
		return
	}
	every := time.NewTicker(probeEvery)
	defer every.Stop()
	k.probe()
	for {
		select {
		case <-ctx.Done():
			if err := k.module.Close(); err != nil {
				k.log(slog.LevelWarn, "the module that verifies signatures did not close", err)
			}
			return
		case <-every.C:
			if _, err := k.module.Lost(); err != nil {
				k.probe()
			}
		}
	}
}

// probe looks for the module and says how it is. A module that lies raises the alarm
// whether or not anybody needs it.
func (k *Keeper) probe() {
	err := k.module.Probe()
	if errors.Is(err, reason.EngineDisagreement) {
		k.computed(sigalg.Computed{Outcome: sigalg.Disagreement, Err: err})
		return
	}
	k.tell(err)
	if err == nil {
		about := k.module.About()
		k.o.Log.LogAttrs(context.Background(), slog.LevelInfo, "signatures are verified by a module",
			slog.String("engine", k.o.Config.Engine), slog.String("module", about.Module), slog.String("module_version", about.Version))
	}
}

// computed counts one signature, and raises the alarm.
func (k *Keeper) computed(c sigalg.Computed) {
	k.mu.Lock()
	k.counts[c.Outcome]++
	if c.Outcome == sigalg.Disagreement {
		k.last = k.o.Now()
	}
	k.mu.Unlock()
	switch {
	case c.Outcome == sigalg.Disagreement:
		k.log(slog.LevelError, "ALARM: the module and this program disagree about a signature", c.Err)
		if _, err := k.module.Lost(); err != nil { // it did not pass its examination
			k.tell(err)
		}
	case c.Err == nil:
		k.tell(nil)
	default:
		if _, err := k.module.Lost(); err != nil { // not one signature alone
			k.tell(err)
		}
	}
	if k.o.Observe != nil {
		k.o.Observe(c)
	}
}

// tell logs that the module was lost, or has come back: once.
func (k *Keeper) tell(err error) {
	k.mu.Lock()
	changed := k.lost != (err != nil)
	k.lost = err != nil
	k.mu.Unlock()
	switch {
	case !changed:
	case err == nil:
		k.log(slog.LevelInfo, "the module that verifies signatures is back", nil)
	default:
		k.log(slog.LevelError, "the module that verifies signatures is lost", err)
	}
}

func (k *Keeper) log(level slog.Level, what string, err error) {
	attrs := []slog.Attr{slog.String("engine", k.o.Config.Engine), slog.String("when_lost", k.o.Config.WhenLost)}
	if err != nil {
		attrs = append(attrs, slog.String("code", string(reason.Of(err))), slog.Any("err", err))
	}
	k.o.Log.LogAttrs(context.Background(), level, what, attrs...)
}

// Status is how the engine does, for operators.
type Status struct {
	Engine   string `json:"engine"` // "go", "pkcs11", "both"
	Module   string `json:"module,omitempty"`
	Version  string `json:"version,omitempty"`
	WhenLost string `json:"when_lost,omitempty"` // "refuse", "fallback"
	// Code is why the module does not answer, and Since since when; absent while it
	// does.
	Code  reason.Code `json:"code,omitempty"`
	Since *time.Time  `json:"since,omitempty"`
	// Signatures counts those that the module was asked about: good, bad, lost (nobody
	// answered), fallback (this program answered alone), disagreement.
	Signatures map[string]uint64 `json:"signatures,omitempty"`
	// LastDisagreement is when the module and this program disagreed last; absent if
	// they never did.
	LastDisagreement *time.Time `json:"last_disagreement,omitempty"`
}

// Status says how the engine does.
func (k *Keeper) Status() Status {
	if k == nil {
		return Status{Engine: sigalg.EngineGo}
	}
	about := k.module.About()
	s := Status{
		Engine: k.o.Config.Engine, Module: about.Module, Version: about.Version, WhenLost: k.o.Config.WhenLost,
		Signatures: make(map[string]uint64),
	}
	if since, err := k.module.Lost(); err != nil {
		s.Code, s.Since = reason.Of(err), &since
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for o := sigalg.Lost; o <= sigalg.Disagreement; o++ {
		s.Signatures[o.String()] = k.counts[o]
	}
	if !k.last.IsZero() {
		last := k.last
		s.LastDisagreement = &last
	}
	return s
}

// Ready returns why nobody can be let in: the module is lost, or was not connected yet,
// and nobody may answer in its place. Otherwise it is nil.
func (k *Keeper) Ready() error {
	if k == nil || k.o.Config.Fallback() {
		return nil
	}
	if _, err := k.module.Lost(); err != nil {
		return reason.New(reason.EngineLost, err)
	}
	if !k.module.Connected() {
		return reason.Errorf(reason.EngineLost, "the module is being connected")
	}
	return nil
}

// Check connects the module, and has it tell good signatures from bad ones: for those who
// want to know before anything is started. The error is that of [Module.Verify].
func (k *Keeper) Check() error {
	if k == nil {
		return nil
	}
	return k.module.Probe()
}
