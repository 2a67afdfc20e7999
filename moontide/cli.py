"""For the commands that plugins add: the home folder with its engine, and what commands print."""

from engine.cli.output import print_fields, print_json, print_table
from engine.cli.place import Place, place_of

__all__ = ["Place", "place_of", "print_fields", "print_json", "print_table"]
