"""API Gateway's REST API, from the raw resources of the template. `service.Gateway` is the way in."""
