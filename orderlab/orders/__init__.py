"""The order system: the code that ships to AWS Lambda, together with orderlab.patterns.

One module per function of the template (place, get, relay, stock, payment, provider, settlement, notify, sales) with
its `handler`, over pure modules (order, events) and thin edges to AWS (rows, transactions, clients, cache). No function
calls another one, with one exception: payment asks the provider. What a function did and the event that says so are one
write; only relay publishes.
"""
