#!/usr/bin/env bash
# Writes the deployment's addresses to frontend/.env, the keys that `make local` writes to frontend/.env.local.
set -euo pipefail
cd "$(dirname "$0")/.."

outputs=$(scripts/deployed.sh region user_pool_id user_pool_client_id function_url websocket_url graphql_url graphql_realtime_url)
# One after the other: macOS has a bash without mapfile.
{ read -r region && read -r pool && read -r client && read -r function_url && read -r websocket_url \
  && read -r graphql_url && read -r realtime_url; } <<<"$outputs"

mkdir -p frontend
# AWS_ENDPOINT_URL is where the AWS CLI and SDKs look for AWS, if it is somewhere else.
cat >frontend/.env <<EOF
VITE_AWS_REGION=$region
VITE_USER_POOL_ID=$pool
VITE_USER_POOL_CLIENT_ID=$client
VITE_USER_POOL_ENDPOINT=${AWS_ENDPOINT_URL:-}
VITE_AUTH_FLOW=USER_SRP_AUTH
VITE_FUNCTION_URL=$function_url
VITE_WEBSOCKET_URL=$websocket_url
VITE_GRAPHQL_URL=$graphql_url
VITE_GRAPHQL_REALTIME_URL=$realtime_url
EOF
echo "wrote frontend/.env"
