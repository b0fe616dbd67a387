"""What a probe answers to a real server in each state that it has to tell apart."""
