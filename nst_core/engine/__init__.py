"""Whose work is computed when and where, and what goes on without a page: turns, queues, machines. Imports transfer."""
