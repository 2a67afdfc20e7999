"""The engine beside a small model of what it promises."""
