"""Functions: invocations, execution environments, the deployment package, destinations."""
