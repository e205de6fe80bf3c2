import type { Session } from '../transports/transport'

export type SignInStep = 'done' | 'new-password'

export interface SignedIn extends Session {
  username: string
}

/** What the client needs of a user pool. */
export interface Cognito {
  signIn(username: string, password: string): Promise<SignInStep>
  choosePassword(password: string): Promise<SignInStep>
  /** A session whose access token is valid now, refreshed if need be; undefined when there is none any more. */
  session(): Promise<SignedIn | undefined>
  /** Resolves when nothing is left here to go on with; the service is told of it afterwards. */
  signOut(): Promise<void>
}

/** What to tell the person who could not sign in. */
export function explain(error: unknown): string {
  const name = error instanceof Error ? error.name : ''
  switch (name) {
    // One sentence for both: which user names exist is nobody's business.
    case 'NotAuthorizedException':
    case 'UserNotFoundException':
      return 'The user name or the password is not right.'
    case 'PasswordResetRequiredException':
      return 'This password has to be reset by an administrator first.'
    case 'UserNotConfirmedException':
      return 'This user is not confirmed yet. Ask an administrator.'
    case 'TooManyRequestsException':
    case 'LimitExceededException':
    case 'TooManyFailedAttemptsException':
      return 'Too many tries. Wait a minute and try again.'
    case 'NetworkError':
      return 'The sign-in service could not be reached. Check the connection and the address in the settings.'
  }
  return error instanceof Error && error.message ? error.message : 'Signing in failed.'
}
