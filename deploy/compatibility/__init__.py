"""What versions that run side by side owe each other: the contract as one document, and the comparison of two of them."""
