"""Original style pictures, each painted from a fixed seed by one module of this package."""
