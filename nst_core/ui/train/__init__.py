"""The Train tab. Imports no other tab."""
