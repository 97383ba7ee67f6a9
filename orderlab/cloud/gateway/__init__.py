"""API Gateway's REST API, from the raw resources of the template. To be read in this order:

exchange    a request, a response, and what is known of a request on its way
service     the way of a request: `Gateway`
api         the API as the template describes it, with `plans` (keys, usage plans, limits) and `models` (JSON Schema)
admission   what stops a request: `routes`, then the `signature`, the key, `throttling`, parameters, body
responses   the answers that the API gives itself
proxy       a function behind a method
mapping     a function or DynamoDB behind a method, by templates; `dynamodb` is asked as its HTTP API
velocity    the language of templates, with `variables` ($input, $util, $context) and `values`
http        the API for `requests`, and as a server on this machine
"""
