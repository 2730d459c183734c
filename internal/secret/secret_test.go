package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"text/template"

	"github.com/rs/zerolog"
	"go.yaml.in/yaml/v3"

	"github.com/lorry-mqtt/lorry/internal/secret"
)

const content = "hunter2-π-ground"

type holder struct {
	Public secret.String
	hidden secret.String // methods of unexported fields are out of fmt's reach
	List   []secret.String
	Map    map[string]secret.String
	Any    any
	Ptr    *secret.String
}

func hold(s secret.String) holder {
	return holder{Public: s, hidden: s, List: []secret.String{s}, Map: map[string]secret.String{"k": s}, Any: s, Ptr: &s}
}

// leaks reports whether out shows the content in a form that any fmt verb could have given it.
func leaks(out string) bool {
	for _, form := range []string{"%s", "%q", "%+q", "%x", "%X", "% x", "%d", "%v"} {
		for _, v := range []any{content, []byte(content)} {
			shown := strings.Trim(fmt.Sprintf(form, v), `"[]`)
			if !strings.HasPrefix(shown, "%!") && strings.Contains(out, shown) {
				return true
			}
		}
	}
	return strings.Contains(out, "hunter2")
}

func TestNoVerbShowsTheContent(t *testing.T) {
	if !leaks(content) || !leaks(fmt.Sprintf("%x", content)) || !leaks(fmt.Sprint([]byte(content))) {
		t.Fatal("the leak detector finds nothing")
	}
	s := secret.New(content)
	for verb := rune('!'); verb <= '~'; verb++ {
		for _, flags := range []string{"", "+", "#", "-40", "030.3", " "} {
			format := "%" + flags + string(verb)
			for _, v := range []any{s, &s, hold(s), new(hold(s)), []secret.String{s}, errors.Join(fmt.Errorf("x %v", s))} {
				if out := fmt.Sprintf(format, v); leaks(out) {
					t.Fatalf("Sprintf(%q, %T) shows the secret: %s", format, v, out)
				}
			}
		}
	}
}

func TestPrintedAsTheMask(t *testing.T) {
	s := secret.New(content)
	for _, format := range []string{"%v", "%s", "%q", "%+v", "%#v", "%x", "%d", "%20s"} {
		if out := fmt.Sprintf(format, s); out != secret.Mask {
			t.Errorf("Sprintf(%q) = %s, want %s", format, out, secret.Mask)
		}
		if out := fmt.Sprintf(format, secret.String{}); out != "" {
			t.Errorf("Sprintf(%q) of the empty secret = %q, want nothing", format, out)
		}
	}
	if out := fmt.Sprintf("%+v", struct{ Token secret.String }{s}); out != "{Token:***}" {
		t.Errorf("in a struct: %s", out)
	}
	if s.String() != secret.Mask || (secret.String{}).String() != "" {
		t.Errorf("String() = %q and %q", s.String(), secret.String{}.String())
	}
}

func TestEncodersShowTheMask(t *testing.T) {
	type doc struct {
		Token secret.String            `json:"token" yaml:"token" xml:"token"`
		Map   map[string]secret.String `json:"map" yaml:"map" xml:"-"`
	}
	d := doc{Token: secret.New(content), Map: map[string]secret.String{"h": secret.New(content)}}
	encoders := map[string]func(any) ([]byte, error){"json": json.Marshal, "yaml": yaml.Marshal, "xml": xml.Marshal}
	for name, encode := range encoders {
		for _, v := range []any{d, &d} {
			out, err := encode(v)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if leaks(string(out)) || !strings.Contains(string(out), secret.Mask) {
				t.Errorf("%s of %T = %s", name, v, out)
			}
		}
	}
	out, err := json.Marshal(d)
	if want := `{"token":"***","map":{"h":"***"}}`; err != nil || string(out) != want {
		t.Errorf("JSON = %s, %v, want %s", out, err, want)
	}
	if out, err = json.Marshal(secret.String{}); err != nil || string(out) != `""` {
		t.Errorf("JSON of the empty secret = %s, %v", out, err)
	}
}

func TestOmittedWhenEmpty(t *testing.T) {
	type doc struct {
		Token secret.String `json:"token,omitzero" yaml:"token,omitempty"`
	}
	if out, err := json.Marshal(doc{}); err != nil || string(out) != "{}" {
		t.Errorf("JSON = %s, %v", out, err)
	}
	if out, err := yaml.Marshal(doc{}); err != nil || string(out) != "{}\n" {
		t.Errorf("YAML = %s, %v", out, err)
	}
}

func TestLoggersAndTemplatesShowTheMask(t *testing.T) {
	s := secret.New(content)
	var b bytes.Buffer

	z := zerolog.New(&b)
	z.Info().Stringer("a", s).Interface("b", s).Any("c", hold(s)).Str("d", s.String()).
		Interface("e", []secret.String{s}).Err(fmt.Errorf("dial with %s", s)).Msgf("f %v", s)
	for _, h := range []slog.Handler{slog.NewJSONHandler(&b, nil), slog.NewTextHandler(&b, nil)} {
		slog.New(h).Info("m", "a", s, "b", hold(s), "c", &s, "d", []secret.String{s})
	}
	if err := template.Must(template.New("").Parse("{{.}} {{.Public}}\n")).Execute(&b, hold(s)); err != nil {
		t.Fatal(err)
	}

	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines, want 4:\n%s", len(lines), &b)
	}
	for _, line := range lines {
		if leaks(line) || !strings.Contains(line, secret.Mask) {
			t.Errorf("logged: %s", line)
		}
	}
}

func TestDecoded(t *testing.T) {
	type doc struct {
		Token secret.String `json:"token" yaml:"token"`
	}
	for in, want := range map[string]string{
		`{"token":"hunter2-π-ground"}`: content,
		`{"token":"***"}`:              secret.Mask,
		`{"token":""}`:                 "",
		`{"token":null}`:               "",
		`{}`:                           "",
	} {
		var j, y doc
		if err := json.Unmarshal([]byte(in), &j); err != nil || j.Token.Reveal() != want {
			t.Errorf("JSON %s = %q, %v, want %q", in, j.Token.Reveal(), err, want)
		}
		if err := yaml.Unmarshal([]byte(in), &y); err != nil || y.Token.Reveal() != want {
			t.Errorf("YAML %s = %q, %v, want %q", in, y.Token.Reveal(), err, want)
		}
	}
	var y doc // a token of digits only is a text all the same
	if err := yaml.Unmarshal([]byte("token: 0123e4"), &y); err != nil || y.Token.Reveal() != "0123e4" {
		t.Errorf("YAML number = %q, %v", y.Token.Reveal(), err)
	}
	var j doc
	if err := json.Unmarshal([]byte(`{"token":2736845}`), &j); err == nil || strings.Contains(err.Error(), "2736845") {
		t.Errorf("JSON number: %v, want an error that does not show it", err)
	}
}

func TestComparison(t *testing.T) {
	a, b := secret.New(content), secret.New(strings.Clone(content))
	if a != b || !reflect.DeepEqual(hold(a), hold(b)) {
		t.Error("two secrets of one content differ")
	}
	if a == secret.New("other") || secret.New("") != (secret.String{}) {
		t.Error("== confuses secrets")
	}
	if !a.Equal(content) || a.Equal(content+"x") || a.Equal("") || a.Equal(secret.Mask) {
		t.Error("Equal confuses contents")
	}
	if empty := secret.New(""); !empty.Equal("") || empty.Equal("x") || !empty.IsZero() || a.IsZero() {
		t.Error("the empty secret is not itself")
	}
	if a.Reveal() != content || (secret.String{}).Reveal() != "" {
		t.Error("Reveal does not")
	}
}
