"""`python -m interpol_graph` is the command `interpol-graph`."""

from interpol_graph.cli.main import main

main(prog_name="interpol-graph")
