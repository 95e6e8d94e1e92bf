// Package line is the exchange form of records and the command line that every client program has
// (../../README.md describes both).
package line

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Header is one header; a nil Value is null.
type Header struct {
	Name  string
	Value []byte
}

// Record is what is sent or was found; a nil Key or Value is null.
type Record struct {
	Offset    int64 // only of what was found
	Timestamp int64
	Key       []byte
	Value     []byte
	Headers   []Header
}

const lineBytesMax = 4 << 20

func readScenario(path string) []Record {
	file, err := os.Open(path)
	Must(err)
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, lineBytesMax)
	var records []Record
	for scanner.Scan() {
		words := strings.Split(scanner.Text(), " ")
		timestamp, err := strconv.ParseInt(words[0], 10, 64)
		Must(err)
		record := Record{Timestamp: timestamp, Key: parse(words[1]), Value: parse(words[2])}
		for _, word := range words[3:] {
			name, value, _ := strings.Cut(word, "=")
			record.Headers = append(record.Headers, Header{string(parse(name)), parse(value)})
		}
		records = append(records, record)
	}
	Must(scanner.Err())
	return records
}

func (record Record) print(out *bufio.Writer) {
	fmt.Fprintf(out, "%d %d %s %s", record.Offset, record.Timestamp, text(record.Key), text(record.Value))
	for _, header := range record.Headers {
		fmt.Fprintf(out, " %s=%s", text([]byte(header.Name)), text(header.Value))
	}
	fmt.Fprintln(out)
}

func parse(word string) []byte {
	if word == "-" {
		return nil
	}
	bytes, err := hex.DecodeString(word[1:])
	Must(err)
	return bytes
}

func text(bytes []byte) string {
	if bytes == nil {
		return "-"
	}
	return "x" + hex.EncodeToString(bytes)
}
