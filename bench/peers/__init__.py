"""Other job engines beside this one: the same work, the same machine, the same minutes."""
