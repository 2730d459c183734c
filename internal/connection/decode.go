package connection

import (
	"github.com/lorry-mqtt/lorry/internal/config/document"
	"github.com/lorry-mqtt/lorry/internal/fault"
)

// DecodeJSON reads a connection from a JSON object over [Defaults] and returns every fault with its path: unknown
// and repeated names, values of the wrong type. It does not validate.
func DecodeJSON(data []byte) (Spec, fault.List) {
	return decode(document.ParseJSON("", data))
}

// DecodeYAML reads a connection from one YAML document, else as [DecodeJSON].
func DecodeYAML(data []byte) (Spec, fault.List) {
	return decode(document.ParseYAML("", data))
}

func decode(n *document.Node, err error) (Spec, fault.List) {
	if err != nil {
		return Defaults(), fault.List{{Reason: err.Error()}}
	}
	if n.Kind == document.Null {
		return Defaults(), fault.List{{Reason: "is empty: a connection is expected"}}
	}
	var s Spec
	return s, s.UnmarshalDocument(n)
}

// UnmarshalDocument replaces s by the connection that the node holds over [Defaults]. It implements
// [document.Unmarshaler].
func (s *Spec) UnmarshalDocument(n *document.Node) fault.List {
	type plain Spec // without this method
	*s = Defaults()
	return n.Decode((*plain)(s))
}

// UnmarshalJSON replaces s as [DecodeJSON] does, so that encoding/json is no less strict; its error is a [fault.List].
func (s *Spec) UnmarshalJSON(data []byte) error {
	decoded, faults := DecodeJSON(data)
	*s = decoded
	return faults.Err()
}
