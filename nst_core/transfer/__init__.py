"""The optimisation, from a config to a picture with its record. Imports features and losses."""
