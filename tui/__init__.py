"""The dashboard: a client of the engine's API, drawn by Textual."""

import os

# Textual reads it once, when it is loaded. A key often makes two or three screens one after another, of which
# the last shows what was asked for; at Textual's own 60 a second each waits for 17 ms after the one before.
os.environ.setdefault("TEXTUAL_FPS", "240")
