#!/usr/bin/env bash
# Makes a user who can sign in at once: create-test-user.sh [user] [password]. If there is one of that name, gives it the
# password.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly user=${1:-testuser} password=${2:-TestPassword123!}
email=$user@example.com
[[ $user == testuser ]] && email=test@example.com

scripts/aws-account.sh >/dev/null
outputs=$(scripts/deployed.sh region user_pool_id)
{ read -r region && read -r pool; } <<<"$outputs"
cognito() {
  aws cognito-idp "$@" --region "$region" --user-pool-id "$pool" --username "$user" --output text
}

# Without an invitation: the password is given here, and the address need not exist.
if ! said=$(cognito admin-create-user --message-action SUPPRESS \
  --user-attributes "Name=email,Value=$email" Name=email_verified,Value=true 2>&1) \
  && [[ $said != *UsernameExistsException* ]]; then
  echo "$said" | tail -n 1 >&2
  exit 1
fi
# Permanent, or the first sign-in would ask for another one.
cognito admin-set-user-password --password "$password" --permanent

echo "$user can sign in, as $user or $email"
if [[ $password == TestPassword123! ]]; then
  echo "Everybody can read this password in the documentation. Before others know the address: $0 $user PASSWORD"
fi
