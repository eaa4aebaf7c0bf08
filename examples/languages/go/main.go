// Counts the words of a text.
package main

import (
	"bytes"
	"encoding/json"
	"runtime"
	"sort"
	"strings"
	"unicode"

	"github.com/aws/aws-lambda-go/lambda"
)

type request struct {
	Text string `json:"text"`
}

type answer struct {
	Language string `json:"language"`
	Words    counts `json:"words"`
}

// counts is an object whose members are in the order of their frequency.
type counts map[string]int

func (c counts) MarshalJSON() ([]byte, error) {
	words := make([]string, 0, len(c))
	for word := range c {
		words = append(words, word)
	}
	sort.Slice(words, func(i, j int) bool {
		a, b := words[i], words[j]
		return c[a] > c[b] || c[a] == c[b] && a < b
	})
	var text bytes.Buffer
	text.WriteByte('{')
	for at, word := range words {
		if at > 0 {
			text.WriteByte(',')
		}
		member, err := json.Marshal(map[string]int{word: c[word]})
		if err != nil {
			return nil, err
		}
		text.Write(member[1 : len(member)-1])
	}
	text.WriteByte('}')
	return text.Bytes(), nil
}

func handle(r request) (answer, error) {
	c := counts{}
	isNoLetter := func(letter rune) bool { return !unicode.IsLetter(letter) }
	for _, word := range strings.FieldsFunc(strings.ToLower(r.Text), isNoLetter) {
		c[word]++
	}
	return answer{"Go " + strings.TrimPrefix(runtime.Version(), "go"), c}, nil
}

func main() { lambda.Start(handle) }
