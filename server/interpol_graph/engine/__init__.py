"""The SPARQL engine under limits: processes that hold the graph and evaluate, who may be evaluated when, and how each one ended."""
