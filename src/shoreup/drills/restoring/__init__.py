"""A copy is a backup once it came back: each product's copies, restored into a real server and asked."""
