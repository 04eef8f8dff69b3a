#!/bin/sh
# Run by the image's entrypoint before the templates are filled.
set -eu
: "${ISSUER:?set it to the issuer of the provider, as its discovery document writes it}"
: "${CLIENT_ID:?set it to the name of the client at the provider}"
: "${CLIENT_SECRET:?set it to the secret of the client}"
