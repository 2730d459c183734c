package process

import (
	"strings"
	"testing"
)

func TestMosquittoBridgeConfiguration(t *testing.T) {
	conf, err := MosquittoBridgeConfiguration("127.0.0.1:21000", "127.0.0.1:22000", "lora/#", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"listener 21000 127.0.0.1", "address 127.0.0.1:22000", "topic lora/# out 1", "max_inflight_messages 100", "set_tcp_nodelay true",
	} {
		if !strings.Contains("\n"+conf, "\n"+line+"\n") {
			t.Errorf("there is no %q in\n%s", line, conf)
		}
	}
	if conf, err := MosquittoBridgeConfiguration("nowhere", "127.0.0.1:22000", "#", 1); err == nil {
		t.Errorf("an address without a port gives\n%s", conf)
	}
}
