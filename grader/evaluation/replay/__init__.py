"""Own architectures: rebuilt from a notebook's definitions, in one jail that encodes, one that decodes."""
