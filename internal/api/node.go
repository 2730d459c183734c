package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// NodeList is the nodes, by name.
type NodeList struct {
	Nodes []Node `json:"nodes"`
}

type nodesOutput struct{ Body NodeList }

func (m *management) nodes() {
	huma.Register(m.api, operation(http.MethodGet, "/nodes", "list-nodes", "List nodes", "Which there are, and what each runs."), m.listNodes)
}

func (m *management) listNodes(ctx context.Context, _ *struct{}) (*nodesOutput, error) {
	service, who := m.service(ctx), asking(ctx)
	nodes, err := service.Runner.Nodes(ctx)
	if err != nil {
		return nil, m.failed(err)
	}
	for i := range nodes {
		nodes[i].Connections = slices.DeleteFunc(nodes[i].Connections, func(id string) bool {
			e, err := service.Registry.Get(id)
			return err != nil || !who.sees(e.Spec.Tags)
		})
	}
	return &nodesOutput{NodeList{nodes}}, nil
}
