import { Amplify } from 'aws-amplify'
import { confirmSignIn, fetchAuthSession, type SignInOutput, signIn } from 'aws-amplify/auth'
import { cognitoUserPoolsTokenProvider } from 'aws-amplify/auth/cognito'
import { ConsoleLogger, sessionStorage } from 'aws-amplify/utils'
import type { Settings } from '../settings'
import type { Cognito, SignedIn, SignInStep } from './cognito'
import { revoke } from './revoke'

/** The user pool of the settings, by Amplify Auth. */
export function amplify(settings: Settings): Cognito {
  // It warns about every user pool that is not AWS's own, though somebody has just set that address on purpose.
  if (settings.userPoolEndpoint) ConsoleLogger.LOG_LEVEL = 'ERROR'
  Amplify.configure({
    Auth: {
      Cognito: {
        userPoolId: settings.userPoolId,
        userPoolClientId: settings.userPoolClientId,
        ...(settings.userPoolEndpoint && { userPoolEndpoint: settings.userPoolEndpoint }),
      },
    },
  })
  // A closed tab is a forgotten session: localStorage would keep the refresh token for a month.
  cognitoUserPoolsTokenProvider.setKeyValueStorage(sessionStorage)

  const { authTokenStore } = cognitoUserPoolsTokenProvider
  // A refresh stores its tokens whenever they come, also after a sign-out.
  let underWay: Promise<unknown> = Promise.resolve()

  async function forget() {
    const tokens = await authTokenStore.loadTokens()
    await authTokenStore.clearTokens()
    // A pool that does not revoke puts no such claim into its tokens.
    if (tokens?.refreshToken && tokens.accessToken.payload.origin_jti) revoke(settings, tokens.refreshToken)
  }

  /** Not Amplify's, which keeps the tokens until the user pool has answered: a reload meanwhile would undo it. */
  async function signOut() {
    const gone = forget()
    underWay = Promise.allSettled([gone, underWay]).then(forget)
    await gone
  }

  return {
    async signIn(username, password) {
      // Amplify refuses to sign in over what is there.
      await signOut()
      await underWay
      return step(await signIn({ username, password, options: { authFlowType: settings.authFlow } }))
    },
    async choosePassword(password) {
      return step(await confirmSignIn({ challengeResponse: password }))
    },
    session() {
      const asked = session()
      underWay = Promise.allSettled([underWay, asked])
      return asked
    },
    signOut,
  }
}

async function session(): Promise<SignedIn | undefined> {
  const { tokens } = await fetchAuthSession()
  if (!tokens) return undefined
  const { sub, username } = tokens.accessToken.payload
  return {
    accessToken: tokens.accessToken.toString(),
    username: typeof username === 'string' ? username : '',
    ...(typeof sub === 'string' && { owner: sub }),
  }
}

function step({ nextStep }: SignInOutput): SignInStep {
  switch (nextStep.signInStep) {
    case 'DONE':
      return 'done'
    case 'CONFIRM_SIGN_IN_WITH_NEW_PASSWORD_REQUIRED':
      return 'new-password'
    default:
      throw new Error(`The user pool asks for ${nextStep.signInStep}, which this client does not offer.`)
  }
}
