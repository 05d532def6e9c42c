"""Who people are and what lets them in: accounts, sessions, invitations, keys, the roster."""
