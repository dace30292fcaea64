"""Results, said: to people on a terminal and to programs."""
