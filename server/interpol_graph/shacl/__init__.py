"""SHACL Core over pyoxigraph terms; it knows nothing of this graph and could be a package of its own."""
