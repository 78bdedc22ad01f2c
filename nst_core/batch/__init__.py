"""Many pictures in many styles, painted until all are there. Imports engine, transfer and instant."""
