"""Inside of the cluster's network: what answers where, what is let through, and what crosses it in clear."""
