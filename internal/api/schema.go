package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// descriptions say what the fields of a connection mean, by schema and field.
var descriptions = map[string]map[string]string{
	"Connection": {
		"id":          "1 to 63 of a-z, 0-9 and -, the first no -; made here when it is left out",
		"description": "Free text",
		"uri":         "The broker: mqtt://, mqtts://, ws:// or wss://, with user and password URL-encoded; the password reads *** in answers",
		"filter":      "The id of a filter on the Network Server",
		"topic_up":    "The topic of a frame: {device}, {device_addr}, {application}, {gateway}, {network} and {type} are filled in",
		"topic_down":  "Topic filter of messages to the Network Server; empty: none",
		"enabled":     "false: neither end is connected",
		"tags":        "Names and values of yours",
		"source":      "The Network Server's end",
		"mqtt":        "The session with the broker",
		"downlink":    "The way to the Network Server",
		"tls":         "For mqtts:// and wss://; the certificate is always verified",
		"websocket":   "For ws:// and wss://",
	},
	"Source": { //nolint:gosec // it describes tokens and holds none
		"kind": "websocket", "url": "The Data API, ws:// or wss://; empty: the node's own",
		"access_token": "Reads *** in answers; *** keeps what is stored", "radio": "Ask for the radio object",
		"lora": "Ask for the lora object", "duplicate": "Ask for every gateway's copy", "subject": "Not available in this version",
		"history_url": "The REST history, http:// or https://; empty: the node's own", "replay_margin": "By how much more than what was missed is asked for",
	},
	"MQTT": {
		"client_id": "Empty: lorry- and the id", "keep_alive": "The longest silence, such as 30s", "ack_timeout": "How long a PUBACK may take, such as 1s",
		"max_inflight": "Publishes that may await their PUBACK", "retain": "Publish with RETAIN", "max_rate": "Publishes a second; 0: no limit",
		"connect_timeout": "How long a connect may take, such as 10s",
	},
	"Downlink": {
		"max_wait":         "How long a downlink waits while the Network Server is away, such as 2s",
		"expired_requests": "What becomes of a downlink_request whose time is over before its turn: last (delivered when nothing else waits) or discard",
	},
	"TLS": {
		"ca": "PEM, instead of the system's CAs", "certificate": "PEM, the client's, with its chain",
		"key": "PEM; reads *** in answers; *** keeps what is stored", "server_name": "The name in the broker's certificate, if not the host of uri",
		"alpn": "Protocols to offer (RFC 7301)",
	},
	"WebSocket": {"headers": "Of the opening handshake; values read *** in answers; *** keeps what is stored"},
}

// describe completes what huma found out by itself: what bodies hold that are read by our own decoder, what a
// connection must have, and what its fields mean.
func (m *management) describe() {
	doc := m.api.OpenAPI()
	schemas := doc.Components.Schemas
	connection := schemas.Schema(typeOf[Connection](), true, "Connection")
	dryRun := schemas.Schema(typeOf[DryRun](), true, "DryRun")
	for name, fields := range descriptions {
		schema := schemas.Map()[name]
		schema.Required = nil
		if name == "Connection" {
			schema.Required = []string{"uri", "filter", "topic_up"}
		}
		for field, text := range fields {
			schema.Properties[field].Description = text
		}
	}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				op.Responses["401"].Content = nil // 401, and nothing else
			}
		}
	}
	list, one := doc.Paths["/connections"], doc.Paths["/connections/{id}"]
	list.Post.RequestBody = &huma.RequestBody{Required: true, Content: content(connection, jsonType)}
	list.Post.Responses["201"].Content = content(connection, jsonType)
	list.Post.Responses["200"] = &huma.Response{Description: "With dry_run: what would have been created", Content: content(dryRun, jsonType)}
	one.Put.RequestBody = &huma.RequestBody{Required: true, Content: content(connection, jsonType)}
	patch := &huma.Schema{Type: huma.TypeObject, Description: "Any part of a Connection; null restores a default"}
	one.Patch.RequestBody = &huma.RequestBody{Required: true, Content: content(patch, patchType, jsonType)}
	doc.Paths["/connections/{id}/replay"].Post.Responses["200"] = &huma.Response{
		Description: "With dry_run: how many frames it would be",
		Content:     doc.Paths["/connections/{id}/replay"].Post.Responses["202"].Content,
	}
}

func content(schema *huma.Schema, types ...string) map[string]*huma.MediaType {
	all := map[string]*huma.MediaType{}
	for _, t := range types {
		all[t] = &huma.MediaType{Schema: schema}
	}
	return all
}
