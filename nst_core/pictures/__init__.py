"""Files of pictures: opened within what they may cost, and what is written in them. Imports no tensor."""
