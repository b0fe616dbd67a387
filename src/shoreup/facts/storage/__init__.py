"""Where data lies: on which volume, on which server, and what lies nowhere that lasts."""
