import type { Settings } from '../settings'

/**
 * Asks the user pool to take back a refresh token and every access token made of it. Best effort, and nobody waits for
 * it: who signs out may be offline. It outlives the page, since a reload or a closed tab often follows.
 */
export function revoke({ region, userPoolClientId, userPoolEndpoint }: Settings, refreshToken: string) {
  void fetch(userPoolEndpoint ?? `https://cognito-idp.${region}.amazonaws.com/`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-amz-json-1.1',
      'X-Amz-Target': 'AWSCognitoIdentityProviderService.RevokeToken',
    },
    body: JSON.stringify({ ClientId: userPoolClientId, Token: refreshToken }),
    cache: 'no-store',
    credentials: 'omit',
    keepalive: true,
  }).catch(() => undefined)
}
