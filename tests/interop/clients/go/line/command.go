package line

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// Step is one admin call. It returns a word for the test to judge ("" is "ok") or the broker's error.
type Step func() (string, error)

// Client is what a program adds to this package.
type Client struct {
	Module string // as in go.mod
	Write  func(ctx context.Context, address, topic, codec string, records []Record)
	Read   func(ctx context.Context, address, topic string, count int) []Record
	Steps  func(ctx context.Context, address, topic string) map[string]Step
}

// The whole of a call; a client that waits for ever must say where.
const patience = 120 * time.Second

// Main carries out the command line.
func Main(client Client) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	arguments := os.Args[2:]
	switch os.Args[1] {
	case "version":
		fmt.Println(version(client.Module))
	case "write":
		records := readScenario(arguments[1])
		for _, word := range arguments[2:] {
			topic, codec, _ := strings.Cut(word, "=")
			client.Write(ctx, arguments[0], topic, codec, records)
		}
	case "read":
		out := bufio.NewWriter(os.Stdout)
		defer out.Flush()
		for _, word := range arguments[1:] {
			topic, text, _ := strings.Cut(word, "=")
			count, err := strconv.Atoi(text)
			Must(err)
			fmt.Fprintln(out, "topic", topic)
			for _, record := range client.Read(ctx, arguments[0], topic, count) {
				record.print(out)
			}
		}
	case "admin":
		steps := client.Steps(ctx, arguments[0], arguments[1])
		for _, name := range arguments[2:] {
			fmt.Println(name, outcome(steps[name]))
		}
	default:
		Must(fmt.Errorf("unknown verb %s", os.Args[1]))
	}
}

func outcome(step Step) string {
	if step == nil {
		return "unknown"
	}
	word, err := step()
	if err != nil {
		return "refused: " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	if word == "" {
		return "ok"
	}
	return word
}

func version(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return strings.TrimPrefix(dependency.Version, "v")
		}
	}
	return "unknown"
}

// Found is the word for whether a topic is listed.
func Found(found bool) string {
	if found {
		return "found"
	}
	return "absent"
}

// Must ends the program where something failed that the test expects to work.
func Must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
