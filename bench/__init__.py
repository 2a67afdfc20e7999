"""What is measured: see README.md."""

# Textual is told how to draw before a measurement loads it, as in the dashboard itself.
import tui as tui
