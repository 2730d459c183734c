package main

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Each of these is refused with one line on stderr, and nothing on stdout.
func TestWrongUsage(t *testing.T) {
	for line, want := range map[string]string{
		"nope":                               `"nope" is no command of 'lorry': it has check, completion, connections, demo, run, simulate, top, version`,
		"--nope":                             "unknown flag: --nope (see 'lorry --help')",
		"-x":                                 "unknown shorthand flag: 'x' in -x (see 'lorry --help')",
		"help nope":                          `"nope" is no command of 'lorry': it has check, completion, connections, demo, run, simulate, top, version`,
		"help simulate nope":                 `"nope" is no command of 'lorry simulate': it has ns`,
		"help run nope":                      `'lorry run' takes no arguments, got "nope"`,
		"run lorry.yaml":                     `'lorry run' takes no arguments, got "lorry.yaml"`,
		"run --config":                       "flag needs an argument: --config (see 'lorry run --help')",
		"run --config=":                      "--config is empty: name a file, or leave it out",
		"run --confg x":                      "unknown flag: --confg (see 'lorry run --help')",
		"check x":                            `'lorry check' takes no arguments, got "x"`,
		"check --config=":                    "--config is empty: name a file, or leave it out",
		"version x":                          `'lorry version' takes no arguments, got "x"`,
		"demo x":                             `'lorry demo' takes no arguments, got "x"`,
		"demo --for -1s":                     "--for must not be negative, got -1s",
		"demo --for soon":                    `invalid argument "soon" for "--for" flag: time: invalid duration "soon" (see 'lorry demo --help')`,
		"demo --rate 0":                      "--rate must be above 0 and at most 10000, got 0",
		"demo --rate NaN":                    "--rate must be above 0 and at most 10000, got NaN",
		"demo --rate 10001":                  "--rate must be above 0 and at most 10000, got 10001",
		"simulate nope":                      `"nope" is no command of 'lorry simulate': it has ns`,
		"simulate ns x":                      `'lorry simulate ns' takes no arguments, got "x"`,
		"simulate ns --rate -1":              "--rate: is -1; must be 0 or a positive number",
		"simulate ns --drop 2 --refuse -1":   "--drop: is 2; a chance lies between 0 and 1; --refuse: is -1; a chance lies between 0 and 1",
		"simulate ns --drop-how gently":      `--drop-how: "gently" is none of close, hangup, reset`,
		"simulate ns --devices 0":            "--devices: must be above 0",
		"simulate ns --devices -1":           "--devices: is -1; must be between 1 and 1000000",
		"simulate ns --history 0s":           "--history: must be above 0",
		"simulate ns --history -1s":          "--history: is -1s; must be positive",
		"simulate ns --history-other 0s":     "--history-other: must be above 0",
		"simulate ns --history-other=-1s":    "--history-other: is -1s; must be positive",
		"simulate ns --tx-delay 0s":          "--tx-delay: must be above 0",
		"simulate ns --tx-delay -1s":         "--tx-delay: is -1s; must be positive",
		"simulate ns --stall-for 0s":         "--stall-for: must be above 0",
		"simulate ns --stall-for -1s":        "--stall-for: is -1s; must be positive",
		"simulate ns --flood 1":              "--flood: is 1; must be between 200 and 1048576",
		"simulate ns --token a --token=":     "--token: is empty; a client without a token is always refused",
		"simulate ns --filter=":              "--filter: is empty",
		"connections nope":                   `"nope" is no command of 'lorry connections': it has create, delete, get, list, log, parked, pause, replay, restart, resume, status, test, update`,
		"connections list x":                 `'lorry connections list' takes no arguments, got "x"`,
		"connections list --output xml":      `--output must be table or json, got "xml"`,
		"connections list --server nowhere":  `--server, --ca: server "nowhere" is no URL that begins with http:// or https://`,
		"connections get":                    `'lorry connections get' takes an ID, got 0 arguments`,
		"connections get a b":                `'lorry connections get' takes an ID, got 2 arguments`,
		"connections create":                 `'lorry connections create' needs --file with the connection, - for stdin`,
		"connections update a":               `'lorry connections update' needs --file with the connection, - for stdin`,
		"connections test":                   `'lorry connections test' takes an ID, or --file`,
		"connections test a -f b":            `'lorry connections test' takes an ID, or --file`,
		"connections replay a":               `--from: must be a time as RFC 3339 has it, such as 2026-01-31T08:00:00Z, or how long ago, such as 15m`,
		"connections parked drop a":          `'lorry connections parked drop' takes an ID and a SEQ, got 1 arguments`,
		"connections parked drop a b":        `SEQ must be a number, got "b"`,
		"top --rows 0":                       `--interval must be at least 100ms and --rows at least 1`,
		"completion nope":                    `"nope" is no command of 'lorry completion': it has bash, fish, powershell, zsh`,
		"completion bash x":                  `'lorry completion bash' takes no arguments, got "x"`,
		"completion bash --no-descriptionss": "unknown flag: --no-descriptionss (see 'lorry completion bash --help')",
	} {
		if got := lorry(t, strings.Fields(line)...); got != (outcome{exitUsage, "", "lorry: " + want + "\n"}) {
			t.Errorf("lorry %s:\ngot  %+v\nwant %d lorry: %s", line, got, exitUsage, want)
		}
	}
}

// Every command explains itself, by its flag and by 'help', and what only holds others does so alone.
func TestHelp(t *testing.T) {
	var check func(cmd *cobra.Command)
	check = func(cmd *cobra.Command) {
		words := strings.Fields(cmd.CommandPath())[1:]
		byFlag, byHelp := lorry(t, append(words, "--help")...), lorry(t, append([]string{"help"}, words...)...)
		if byFlag.status != 0 || byFlag.stderr != "" || byFlag != byHelp || !strings.Contains(byFlag.stdout, "\nUsage:\n  "+cmd.CommandPath()) {
			t.Errorf("%s --help: %+v\nhelp: %+v", cmd.CommandPath(), byFlag, byHelp)
		}
		if cmd.HasSubCommands() {
			if alone := lorry(t, words...); alone != byFlag {
				t.Errorf("%s: %+v", cmd.CommandPath(), alone)
			}
		}
		for _, below := range cmd.Commands() {
			check(below)
		}
	}
	root := newRootCommand(nil, io.Discard, io.Discard)
	check(root)
	for _, path := range []string{
		"run", "check", "demo", "simulate ns", "version", "top", "connections list", "connections get", "connections create", "connections update",
		"connections delete", "connections pause", "connections resume", "connections test", "connections replay", "connections log",
	} { // the contract's
		if cmd, rest, err := root.Find(strings.Fields(path)); err != nil || len(rest) > 0 || !cmd.Runnable() {
			t.Errorf("there is no command %s: %v", path, err)
		}
	}
}

func TestVersion(t *testing.T) {
	got := lorry(t, "version")
	if got.status != 0 || got.stderr != "" || !regexp.MustCompile(`^lorry \S+, commit \S+, go1\.\S+ [a-z]+/[a-z0-9]+\n$`).MatchString(got.stdout) {
		t.Errorf("%+v", got)
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if got := lorry(t, "completion", shell); got.status != 0 || got.stderr != "" || !strings.Contains(got.stdout, "lorry") {
			t.Errorf("%s: %d, %s", shell, got.status, got.stderr)
		}
	}
	// What follows names no file, except --config.
	for line, want := range map[string]string{"run|": ":4\n", "run|--config|": "yaml\nyml\n:8\n"} {
		args := append([]string{"__complete"}, strings.Split(line, "|")...)
		if got := lorry(t, args...); got.status != 0 || got.stdout != want {
			t.Errorf("%s: %+v", line, got)
		}
	}
}

// The contract's defaults.
func TestDefaults(t *testing.T) {
	for _, c := range []struct {
		command, flag, want string
	}{
		{"run", "config", ""},
		{"check", "config", ""},
		{"demo", "rate", "10"},
		{"simulate ns", "listen", ":9000"},
		{"simulate ns", "history", "48h0m0s"},
	} {
		cmd, _, err := newRootCommand(nil, io.Discard, io.Discard).Find(strings.Fields(c.command))
		if err != nil {
			t.Fatal(err)
		}
		if got := cmd.Flags().Lookup(c.flag); got == nil || got.DefValue != c.want {
			t.Errorf("%s --%s: %+v, want %q", c.command, c.flag, got, c.want)
		}
	}
}
