"""Everything that puts the product on a machine: containers, clusters, and the local runner."""
