"""Pure validators of single values: no Django, no models, no clock.

Each returns the fault's code (or an empty result), so that forms, API, bulk files and V3.0 uploads judge
alike.
"""
