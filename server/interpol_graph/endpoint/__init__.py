"""What programs ask over HTTP: the SPARQL protocol, graph store, dumps, saved questions as an API, validation."""
