import { Amplify } from 'aws-amplify'
import { confirmSignIn, fetchAuthSession, type SignInOutput, signIn, signOut } from 'aws-amplify/auth'
import { cognitoUserPoolsTokenProvider } from 'aws-amplify/auth/cognito'
import { ConsoleLogger, sessionStorage } from 'aws-amplify/utils'
import type { Settings } from '../settings'
import type { Cognito, SignedIn, SignInStep } from './cognito'

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

  return {
    async signIn(username, password) {
      // Amplify refuses to sign in over what an interrupted sign-out left behind.
      await signOut().catch(() => undefined)
      return step(await signIn({ username, password, options: { authFlowType: settings.authFlow } }))
    },
    async choosePassword(password) {
      return step(await confirmSignIn({ challengeResponse: password }))
    },
    session,
    signOut: () => signOut(),
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
