"""How the page is served to strangers: who may ask for what, who computes when, what is kept. Imports no tab."""
