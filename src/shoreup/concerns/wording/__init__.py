"""How several concerns say the same thing in the same words."""
