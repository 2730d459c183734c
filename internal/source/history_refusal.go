package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// HistoryError is why the REST history could not be read, or not to its end. Its text names what was asked, without
// secrets, and what to do about it.
type HistoryError struct {
	URL    string // scheme, host and path; the query, which holds the access token, is left out
	Stage  Stage
	Class  Class
	Status int    // HTTP status of a refusal, else 0
	Body   string // first line of the refusal's body, with the token masked
	Mend   string // what to do about it; empty when that is not known
	Err    error
}

func (e *HistoryError) Error() string {
	text := fmt.Sprintf("read history %s: %s: %v", e.URL, e.Stage, e.Err)
	if e.Mend != "" {
		text += ": " + e.Mend
	}
	return text
}

// Unwrap returns Err.
func (e *HistoryError) Unwrap() error { return e.Err }

// explain makes a HistoryError of what a request or its answer failed of.
func (r *historyReader) explain(ctx context.Context, err error) error {
	if request, ok := errors.AsType[*url.Error](err); ok {
		err = request.Err // it quotes the URL
	}
	stage, _ := r.stage.Load().(Stage)
	e := &DialError{URL: redacted(r.endpoint), Stage: stage, Class: Retryable, Err: err}
	var timeout interface{ Timeout() bool }
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errHistorySilent):
		e.Err = fmt.Errorf("nothing came for %s: %w", r.options.Silence, os.ErrDeadlineExceeded)
		e.Mend = "it accepts connections but does not answer: is source.history_url the REST history's?"
	case cause != nil:
		e.Err = cause
	case errors.Is(err, errNoHistory):
		return r.malformed(err)
	case stage != StageHTTP && (errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()):
		e.Mend = historyWords.Replace(timeoutMend(stage))
	case alerted(err), stage == StageTLS:
		e.Stage = StageTLS
		explainTLS(e)
	case stage == StageTCP:
		explainTCP(e)
	default:
		e.Err = errors.New(shown(mask(r.options.AccessToken, err.Error()))) // it may quote the answer
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			e.Err = fmt.Errorf("the answer was cut off: %w", err)
		}
	}
	e.Mend = historyWords.Replace(e.Mend)
	return (*HistoryError)(e)
}

// historyWords has the advice for a stream speak of the history.
var historyWords = strings.NewReplacer("source.url", "source.history_url", "ws://", "http://", "wss://", "https://")

// malformed is for an answer that is none of the history's.
func (r *historyReader) malformed(err error) error {
	return &HistoryError{
		URL: redacted(r.endpoint), Stage: StageHTTP, Class: Refused, Err: err,
		Mend: "what answers there is not the REST history: check source.history_url",
	}
}

// explainStatus makes a HistoryError of an answer that is not 200.
func (r *historyReader) explainStatus(response *http.Response, body io.Reader) error {
	e := &HistoryError{URL: redacted(r.endpoint), Stage: StageHTTP, Status: response.StatusCode}
	text, _ := io.ReadAll(io.LimitReader(body, 1<<10)) // as much as comes
	e.Body = firstLine(mask(r.options.AccessToken, string(text)))
	e.Class, e.Mend = refusal(response.StatusCode)
	e.Mend = historyWords.Replace(e.Mend)
	answered := fmt.Sprintf("refused with HTTP status %d %s", e.Status, http.StatusText(e.Status))
	if e.Body != "" {
		answered += fmt.Sprintf(": %q", e.Body)
	}
	e.Err = errors.New(answered)
	return e
}
