"""Run one of our entry modules on untrusted bytes in a jail: frames in, a capped stream of frames out."""
