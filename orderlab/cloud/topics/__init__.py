"""SNS: one message for everybody who subscribed.

In the order to read: `subscriptions` (what a template subscribes to what), `notices` (what a subscriber gets, and
whether its filter wants it), `service` (publishing, delivery and dead letters).
"""
