package config

// warnings returns what of a valid configuration its owner may not have meant, a line each.
func (c Config) warnings() []string {
	return c.exposed()
}

// exposed warns of a NATS listener that others than this machine reach: the embedded server asks nobody who they are.
func (c Config) exposed() []string {
	listen := c.NATS.Embedded.Listen
	if host, _ := splitListen(listen); listen == "" || loopback(host) {
		return nil
	}
	return []string{"nats.embedded.listen reaches beyond loopback: whoever can connect reads and writes every frame; " +
		"keep it in a closed network"}
}
