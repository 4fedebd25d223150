"""Studies: who is compared with whom, at which width, with which learning rate, and what that says; docs/studies.md."""
