// The user pool's access tokens, by AWS's own library.
import { CognitoJwtVerifier } from 'aws-jwt-verify'
import { SimpleJwksCache } from 'aws-jwt-verify/jwk'

const { COGNITO_CLIENT_ID, COGNITO_ISSUER, COGNITO_JWKS_URL } = process.env

/** The keys come from where the settings say: the library knows AWS's address only. */
const fetcher = { fetch: async () => (await fetch(COGNITO_JWKS_URL)).arrayBuffer() }

export function verifier() {
  return CognitoJwtVerifier.create(
    { userPoolId: COGNITO_ISSUER.split('/').at(-1), clientId: COGNITO_CLIENT_ID, tokenUse: 'access' },
    { jwksCache: new SimpleJwksCache({ fetcher }) },
  )
}
