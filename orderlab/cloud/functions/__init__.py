"""Lambda functions: invocations, execution environments, what becomes of an event. To be read in this order:

service       the way of an event through a function: `Functions`
invocation    the facts: a function, an invocation, its result, the context of a handler
invoke        the operation Invoke on the wire
asynchronous  what Lambda does with an event that nobody waits for, and `destinations`, where its record goes
errors        the error objects, and `handlers`: a handler found, its answer as JSON
package       the deployment package
environment   the first runner, in process, and `virtual`: the time in it
processes     the second runner: `sandbox` (one process as an environment), `child` (its life), `endpoint` (its socket),
              `shipping` (what it runs); in the child itself `runtime` and `line`
"""
