package messages

import "context"

// Subscribing is the part of an MQTT session that the subscriber uses.
type Subscribing interface {
	// Subscribe asks for the messages of a topic filter at QoS 1 and returns when the broker has granted it.
	Subscribe(ctx context.Context, filter string) error
}

// SessionOpened tells the subscriber that there is an MQTT session.
type SessionOpened struct{ Session Subscribing }

// SessionClosed tells the subscriber that the session it was given has ended.
type SessionClosed struct{ Session Subscribing }
