package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
)

// dial opens what MQTT packets travel through, and returns its lowest layer, too. Nothing of it outlives an error.
func dial(ctx context.Context, o Options) (conn, socket net.Conn, err error) {
	opened, err := o.Dial(ctx, "tcp", o.URI.Address())
	if err != nil {
		return nil, nil, fail(dialStage(err), o, inTime(ctx, err))
	}
	o.Reached(StageTCP)
	// A closed socket is what ends a handshake under way.
	release := context.AfterFunc(ctx, func() { _ = opened.Close() })
	conn, stage, err := layers(ctx, o, opened)
	if !release() && err == nil {
		err = ctx.Err() // the socket is being closed
	}
	if err != nil {
		_ = opened.Close()
		return nil, nil, fail(stage, o, inTime(ctx, err))
	}
	return conn, opened, nil
}

// layers puts what the scheme asks for on top of the socket.
func layers(ctx context.Context, o Options, socket net.Conn) (conn net.Conn, stage Stage, err error) {
	conn = socket
	if o.URI.Secure() {
		secured := tls.Client(conn, clientConfig(o))
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, StageTLS, err
		}
		conn = secured
		o.Reached(StageTLS)
	}
	if o.URI.overWebSocket() {
		if conn, err = upgrade(ctx, o, conn); err != nil {
			return nil, StageWebSocket, err
		}
		o.Reached(StageWebSocket)
	}
	return conn, StageConnack, nil
}

// clientConfig is the TLS configuration for this broker; the name to verify is the URI's unless another is set.
func clientConfig(o Options) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.TLS != nil {
		config = o.TLS.Clone()
		config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	}
	if config.ServerName == "" {
		config.ServerName, _, _ = strings.Cut(o.URI.Host, "%") // no certificate has an IPv6 zone
	}
	return config
}

func dialStage(err error) Stage {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return StageDNS
	}
	return StageTCP
}

// inTime returns why the context has ended if it has, since err is then only what became of that, unless err is an
// answer.
func inTime(ctx context.Context, err error) error {
	if ctx.Err() != nil && Classify(err) == Retryable {
		return context.Cause(ctx)
	}
	return err
}
