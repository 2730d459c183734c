// Package source is the Network Server's end of a connection: where frames come from and downlinks go to.
//
//	source.go             Frame and Session: what every kind of source promises
//	errors.go             EndedError and DialError: why a session ended, why none began
//	discard.go            Discard: what is not worth forwarding
//	options.go            WebSocketOptions and the request they make
//	websocket.go          the Data API over WebSocket: Read, Write, Close
//	websocket_dial.go     … how its session begins
//	websocket_refusal.go  … why it does not, and what to do about that
//	websocket_receive.go  … the goroutine that reads
//	websocket_transmit.go … the goroutine that writes, pings and takes leave
//	history.go            the REST history: ReadHistory, page after page
//	history_page.go       … one request and its answer
//	history_elements.go   … which is taken apart while it arrives
//	history_refusal.go    … why it was not read, and what to do about that
//	repeats.go            which messages were received before
//	link.go               the connection below it, with the deadline of silence
//	intake.go             the bounded batch between the socket and Read
//	slab.go               the memory that frames are carved from
//
// A session lives once: it is dialled, it ends, and its owner dials the next. Backoff, from which time to resume, and
// what to do with a frame are the owner's business. Sessions of other kinds (a JetStream subject) stand beside
// websocket.go and keep the same contract.
package source
