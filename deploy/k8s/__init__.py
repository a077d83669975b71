"""The product on Kubernetes: kustomize files, and what of them is made from the other parts of the deployment."""
