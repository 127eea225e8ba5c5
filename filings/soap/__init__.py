"""The V3.0 service over HTTP: SOAP 1.1 in and out, and the pages on which a unit's administrator manages it."""
