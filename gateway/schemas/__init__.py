"""What the API takes and answers, by noun; the OpenAPI document is made from these."""
