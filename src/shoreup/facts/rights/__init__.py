"""Who may do what: in the cluster by its roles, on a node by a container's privileges."""
