package dataapi

import "bytes"

// known lists the Data API's types with the ends that send them.
var known = [...]struct {
	Type
	fromNS, fromAS bool
}{
	{Uplink, true, false},
	{DownlinkRequest, true, false},
	{Downlink, true, false},
	{JoinRequest, true, false},
	{StatusResponse, true, false},
	{Location, true, false},
	{Error, true, false},
	{Warning, true, false},
	{Info, true, false},
	{DownlinkResponse, false, true},
	{DownlinkClaim, false, true},
	{JoinResponse, false, true},
	{StatusRequest, false, true},
	{Status, true, true},
}

// FromNS reports whether the Network Server sends messages of type t to the Application Server. It is true of
// [Status], which travels both ways, and false of types that the Data API does not name.
func (t Type) FromNS() bool {
	for _, k := range known {
		if k.Type == t {
			return k.fromNS
		}
	}
	return false
}

// FromAS reports whether the Application Server sends messages of type t to the Network Server. It is true of
// [Status], which travels both ways, and false of types that the Data API does not name.
func (t Type) FromAS() bool {
	for _, k := range known {
		if k.Type == t {
			return k.fromAS
		}
	}
	return false
}

// FromNS reports whether only the Network Server can have sent the message, so that it must never be sent back
// to it: its type is one the Network Server sends, and a [Status] carries params. Messages of unknown types are
// not held to be the Network Server's; what they are worth is for the Network Server to judge.
func (e *Envelope) FromNS() bool {
	return e.Type.FromNS() && (!e.Type.FromAS() || !e.Bare)
}

// complaint is how the Network Server begins to quote a message that is JSON of the wrong shape. Writing JSON anew
// leaves it as it is.
var complaint = []byte("Bad message format. Received data: ")

// QuotesComplaint reports whether raw holds, at whatever depth, the error with which the Network Server answers a
// message of the wrong shape. Nothing that an Application Server has to say does. Sent back in a wrapping of somebody's
// own, so that its type no longer shows, it would be answered by an error that quotes it, and so on, larger each time.
func QuotesComplaint(raw []byte) bool { return bytes.Contains(raw, complaint) }

// intern returns name as a Type that does not alias it, without allocating when the type is known.
func intern(name []byte) Type {
	for _, k := range known {
		if string(k.Type) == string(name) {
			return k.Type
		}
	}
	return Type(name)
}
