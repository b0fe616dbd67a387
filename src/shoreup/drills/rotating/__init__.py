"""400 days of a backup's job, and what a rotation may never do in any of them."""
