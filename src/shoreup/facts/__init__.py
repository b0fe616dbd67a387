"""What resources mean to an operator. The only place that interprets them."""
