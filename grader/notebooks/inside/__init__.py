"""What runs inside the jail: nbclient, the kernel, and the hook that keeps trained models."""
