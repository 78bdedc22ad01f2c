"""The page under siege: a crowd of clients, half of them hostile, and what the server is like while and after."""
