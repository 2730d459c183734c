package dataapi

import "time"

// Expired reports whether the frame asks for something that is too late to be given: a downlink_request whose tx_time
// has passed. The Network Server's clock is not compared with ours: a request that came live has as long, from when
// it was received, as lies between its meta.time and its tx_time. One that was replayed from history is of no use
// whenever it comes.
func (f *Frame) Expired(now time.Time) bool {
	e := &f.Envelope
	if e.Type != DownlinkRequest {
		return false
	}
	if e.Meta.History {
		return true
	}
	if e.TxTime == 0 || e.Meta.Time == 0 {
		return false // it does not say
	}
	return !now.Before(f.Received.Add(time.Duration((e.TxTime - e.Meta.Time) * float64(time.Second))))
}
