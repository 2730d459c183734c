package testkit

import (
	"net"
	"sync"
)

// turns keeps mochi from cleaning up after a session of a client ID while the client's next session is established.
// Without it the broker may forget the new session and its subscriptions together with the old one: mochi v2.7.9 looks
// whether a session was taken over, and then deletes by client ID.
type turns struct {
	mu      sync.Mutex
	taken   map[string]chan struct{} // client ID → closed when its turn ends
	holders map[net.Conn]string      // who has which turn
}

func newTurns() *turns {
	return &turns{taken: map[string]chan struct{}{}, holders: map[net.Conn]string{}}
}

// take waits for the client ID's turn and gives it to conn.
func (s *turns) take(clientID string, conn net.Conn) {
	for {
		s.mu.Lock()
		taken, busy := s.taken[clientID]
		if !busy {
			s.taken[clientID] = make(chan struct{})
			s.holders[conn] = clientID
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		<-taken
	}
}

// end ends the turn of conn, if it has one.
func (s *turns) end(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if clientID, holds := s.holders[conn]; holds {
		close(s.taken[clientID])
		delete(s.taken, clientID)
		delete(s.holders, conn)
	}
}
