"""Where every boto3 call ends: botocore's `before-send`, one step before the network.

boto3 is untouched. What the local cloud does itself (messages, events, invocations) is answered here; the rest goes to
moto. Calls from the threads of a cell take their turn, because moto is not atomic. Nothing ever goes on to the network.

calls    who answers a call, and what goes wrong on the way: `Wire`
answers  what is answered: an HTTP reply, a refusal, or that something is not done here
reading  what a call is about, read from its request
hooks    how botocore and moto come to ask a Wire
"""
