"""Shows a teacher the paintings of a class, on a page of its own. Imports `page` and `studio`, no tab."""
