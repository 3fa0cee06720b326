SELECT kind, name, count FROM claimable
