"""DynamoDB in the local cloud: moto's tables, with transactions, stream records and expiry as AWS has them.

To be read in this order: `service` (what is put together), `transactions`, `tokens` (a request that comes twice),
`records` (of the stream), `expiry`, `refusals`; `quick_rows` and `quick_expressions` are about speed alone.
"""
