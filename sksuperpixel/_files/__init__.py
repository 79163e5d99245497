"""Reading and writing files: a file is written as a whole or not at all."""
