"""CloudFormation: infra/template.yaml, translated as AWS SAM does it, and created on moto.

The template is the only description of the cloud. It is read as it is deployed; a lesson may break it from outside
with overrides. To be read in this order:

text         a template's text, parsed
template     a template read from its file, and changed by overrides
honoured     what of it is refused, by `resource_types` (each type and property, done here or not) and `references`
translation  what SAM makes of it, with its deployment `packages` uploaded
formation    what moto's CloudFormation is taught
creation     the stack on moto
resources    the stack as the services read it: resources, their properties resolved
"""
