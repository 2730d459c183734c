package source

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// historyReader makes the requests of one ReadHistory, over one connection as long as the server keeps it.
type historyReader struct {
	options  HistoryOptions // with defaults
	endpoint *url.URL
	client   *http.Client
	stage    atomic.Value // Stage of the request under way
}

// historyPage is what one answer had.
type historyPage struct {
	elements int    // messages, whether or not they can be read
	last     string // id of the last one that could be; the page's edge if none could
}

var errHistorySilent = errors.New("nothing came")

func newHistoryReader(o HistoryOptions, endpoint *url.URL) *historyReader {
	r := &historyReader{options: o, endpoint: endpoint}
	config := new(tls.Config)
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	config.InsecureSkipVerify = false
	r.client = &http.Client{
		Transport: &http.Transport{
			DialContext: r.dial, TLSClientConfig: config, TLSHandshakeTimeout: o.ConnectTimeout,
			MaxResponseHeaderBytes: maxHandshakeBytes, MaxIdleConns: 1,
		},
		// The token is in the query, and goes nowhere but where the owner has it go.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return r
}

func (r *historyReader) close() { r.client.CloseIdleConnections() }

func (r *historyReader) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.options.ConnectTimeout,
		fmt.Errorf("no answer within %s: %w", r.options.ConnectTimeout, context.DeadlineExceeded))
	defer cancel()
	conn, err := r.options.Dial(ctx, network, address)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, err
	case r.endpoint.Scheme == "https":
		r.stage.Store(StageTLS)
	default:
		r.stage.Store(StageHTTP)
	}
	return conn, nil
}

// readPage makes one request and gives each what its answer has behind the edge.
func (r *historyReader) readPage(ctx context.Context, u *url.URL, edge string, limit int, each func([]Frame) error) (historyPage, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.stage.Store(StageTCP)
	silence := time.AfterFunc(time.Hour, func() { cancel(errHistorySilent) })
	defer silence.Stop()
	silence.Stop()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { r.stage.Store(StageHTTP); silence.Reset(r.options.Silence) },
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return historyPage{}, r.malformed(errors.New("the request cannot be made")) // err quotes the URL
	}
	request.Header.Set("Accept", "application/json")
	response, err := r.client.Do(request)
	if err != nil {
		return historyPage{}, r.explain(ctx, err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	body := &quietBody{body: response.Body, silence: silence, patience: r.options.Silence, left: maxHistoryAnswer}
	if response.StatusCode != http.StatusOK {
		return historyPage{}, r.explainStatus(response, body)
	}
	p := pageReader{reader: r, edge: edge, each: each, page: historyPage{last: edge}}
	if err := p.read(newElements(body, r.options.MaxFrameBytes+historyElementExtra), limit); err != nil {
		if p.failed != nil {
			return p.page, p.failed
		}
		return p.page, r.explain(ctx, err)
	}
	return p.page, nil
}

// historyElementExtra is what an element may have besides its message: the id, keys and spacing.
const historyElementExtra = 4 << 10

// pageReader makes frames of one page's elements.
type pageReader struct {
	reader *historyReader
	edge   string
	each   func([]Frame) error
	page   historyPage
	frames []Frame
	bytes  int
	failed error // each's
}

func (p *pageReader) read(in *elements, limit int) error {
	for {
		element, size, err := in.next()
		if errors.Is(err, io.EOF) {
			return p.flush()
		}
		if err != nil {
			return errors.Join(err, p.flush()) // what came whole is good
		}
		if p.page.elements++; p.page.elements > limit {
			return fmt.Errorf("%w: more than the %d messages that were asked for", errNoHistory, limit)
		}
		if err := p.take(element, size); err != nil {
			return err
		}
	}
}

// take makes a frame of an element: nil is one that is too long.
func (p *pageReader) take(element []byte, size int64) error {
	discarded := p.reader.options.Discarded
	if element == nil {
		discarded(Discard{Reason: DiscardOversize, Size: size})
		return nil
	}
	id, message, err := splitElement(element)
	if err != nil {
		discarded(Discard{Reason: DiscardNotJSON, Size: size, Head: head(element), Err: err})
		return nil //nolint:nilerr // it is reported, and passed over
	}
	if id == p.edge {
		if p.page.last != p.edge {
			return fmt.Errorf("%w: asked for what follows message %s it begins before that", errNoHistory, p.edge)
		}
		return nil // the last one of the page before
	}
	p.page.last = id
	if len(message) > p.reader.options.MaxFrameBytes {
		discarded(Discard{Reason: DiscardOversize, Size: int64(len(message)), Head: head(message)})
		return nil
	}
	envelope, err := dataapi.Scan(message)
	if err != nil {
		discarded(Discard{Reason: reasonFor(err), Size: int64(len(message)), Head: head(message), Err: err})
		return nil
	}
	envelope.Meta.History = true // which its bytes do not say
	if len(p.frames) == MaxBatchFrames || len(p.frames) > 0 && p.bytes+len(message) > MaxBatchBytes {
		if err := p.flush(); err != nil {
			return err
		}
	}
	p.frames = append(p.frames, Frame{Raw: message, Envelope: envelope, Received: time.Now()})
	p.bytes += len(message)
	return nil
}

func (p *pageReader) flush() error {
	if len(p.frames) == 0 {
		return nil
	}
	p.failed = p.each(p.frames)
	p.frames, p.bytes = nil, 0
	return p.failed
}

// quietBody is an answer's body that must not fall silent, and has an end. Only the time in which it is read counts.
type quietBody struct {
	body     io.Reader
	silence  *time.Timer
	patience time.Duration
	left     int64
}

func (b *quietBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("%w: the answer is longer than %d MiB", errNoHistory, maxHistoryAnswer>>20)
	}
	b.silence.Reset(b.patience)
	defer b.silence.Stop()
	n, err := b.body.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
