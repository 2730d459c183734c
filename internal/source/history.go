package source

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/lorry-mqtt/lorry/internal/secret"
)

// What applies where HistoryOptions leaves a field zero.
const (
	DefaultHistorySilence    = 30 * time.Second
	DefaultHistoryPageFrames = 1000
)

// maxHistoryPage is the most messages that the Network Server returns in one answer.
const maxHistoryPage = 10_000

// maxHistoryAnswer bounds one answer in bytes: a page of the largest messages seen, twice over.
const maxHistoryAnswer = 256 << 20

// historyTime is yyyymmddHHMMSS; the Network Server reads it as UTC.
const historyTime = "20060102150405"

// HistoryOptions says what to read of the Network Server's REST history, and how. It has uplink and downlink
// messages only, and those for 30 days from half a minute after they were sent.
type HistoryOptions struct {
	// URL is the history's endpoint, http:// or https://. A query that it has is kept.
	URL         string
	AccessToken secret.String
	Filter      string
	// Radio, Lora and Duplicate are as for the stream.
	Radio, Lora, Duplicate bool

	PageFrames     int           // messages that one request asks for
	ConnectTimeout time.Duration // from name resolution to the end of the TLS handshake
	Silence        time.Duration // an answer of which nothing comes for so long is given up
	MaxFrameBytes  int           // longer messages are discarded and never held in memory as a whole

	// TLS is used for https://, with the server's name always verified, as for the stream.
	TLS *tls.Config
	// Dial opens the TCP connection; nil for a net.Dialer. Proxy variables of the environment are not followed.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Discarded is told of what is no frame. It is called by the goroutine that reads; nil for nobody.
	Discarded func(Discard)
}

func (o HistoryOptions) withDefaults() HistoryOptions {
	o.PageFrames = min(cmp.Or(max(o.PageFrames, 0), DefaultHistoryPageFrames), maxHistoryPage)
	o.PageFrames = max(o.PageFrames, 2) // the first of a page is the last of the one before
	o.ConnectTimeout = cmp.Or(max(o.ConnectTimeout, 0), DefaultConnectTimeout)
	o.Silence = cmp.Or(max(o.Silence, 0), DefaultHistorySilence)
	o.MaxFrameBytes = cmp.Or(max(o.MaxFrameBytes, 0), DefaultMaxFrameBytes)
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Discarded == nil {
		o.Discarded = func(Discard) {}
	}
	return o
}

// endpoint parses URL.
func (o HistoryOptions) endpoint() (*url.URL, error) {
	u, err := parseEndpoint("source.history_url", o.URL, "http", "https")
	if err != nil {
		return nil, err
	}
	if u.User != nil {
		return nil, errors.New("source.history_url has user info; the token goes into source.access_token")
	}
	return u, nil
}

// ReadHistory reads every message that the REST history has with from ≤ meta.time < to, oldest first, and gives
// them to each as frames, at most MaxBatchFrames and MaxBatchBytes at a time; while each is at work nothing is read.
// The history's times are whole seconds, so that up to a second more is met at either end.
//
// A frame's bytes are the message's, as a stream has it live; its envelope says that it is history. It returns
// when all was read, when ctx ends, with each's own error, or with a [*HistoryError]; what each was given by then
// was read all the same.
func ReadHistory(ctx context.Context, o HistoryOptions, from, to time.Time, each func([]Frame) error) error {
	o = o.withDefaults()
	endpoint, err := o.endpoint()
	if err != nil {
		return &HistoryError{Stage: StageOptions, Class: Refused, URL: "…", Err: err}
	}
	r := newHistoryReader(o, endpoint)
	defer r.close()
	return r.readAll(ctx, from, to, each)
}

// readAll asks for page after page. Each begins with the last message of the one before: the history's edges are
// both included, and only a message's id tells it from another of the same time.
func (r *historyReader) readAll(ctx context.Context, from, to time.Time, each func([]Frame) error) error {
	limit := r.options.PageFrames
	for edge := ""; ; {
		p, err := r.readPage(ctx, r.query(from, to, edge, limit), edge, limit, each)
		switch {
		case err != nil:
			return err
		case p.elements == 0 || p.last == edge && p.elements == 1 && edge != "":
			return nil // a short page is no end: the server may have a limit of its own
		case p.last != edge:
			edge = p.last
		case limit == maxHistoryPage:
			return r.malformed(fmt.Errorf("none of %d messages has an id that can be read", p.elements))
		default:
			limit = min(2*limit, maxHistoryPage) // to find, behind what cannot be read, an id to go on from
		}
	}
}

// query asks for one page: from a time, or from the message behind which to go on.
func (r *historyReader) query(from, to time.Time, edge string, limit int) *url.URL {
	u := *r.endpoint
	q := u.Query()
	set := func(key, value string) {
		if value != "" {
			q.Set(key, value)
		}
	}
	o := r.options
	set("access_token", o.AccessToken.Reveal())
	set("filter", o.Filter)
	set("radio", flag(o.Radio))
	set("lora", flag(o.Lora))
	set("duplicate", flag(o.Duplicate))
	set("limit", fmt.Sprint(limit))
	set("to", upToSecond(to).UTC().Format(historyTime))
	if edge != "" {
		set("from_id", edge)
	} else {
		set("from", from.UTC().Format(historyTime)) // which cuts the fraction off
	}
	u.RawQuery = q.Encode()
	return &u
}

// upToSecond is t, or the next whole second.
func upToSecond(t time.Time) time.Time {
	if down := t.Truncate(time.Second); !down.Equal(t) {
		return down.Add(time.Second)
	}
	return t
}
