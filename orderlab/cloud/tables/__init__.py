"""DynamoDB in the local cloud: moto's tables, with transactions, stream records and expiry as AWS has them."""
