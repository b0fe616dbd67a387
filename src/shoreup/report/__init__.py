"""Ways to show an account. They render and decide nothing."""
