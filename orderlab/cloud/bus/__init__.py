"""EventBridge: events in, rules, deliveries to targets. `service.Bus` is the way in."""
