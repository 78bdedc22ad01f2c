"""Whose work is computed when, and what goes on without a page: device threads, queues, limits. Imports transfer."""
