import type { Session } from '../transports/transport'
import { type Cognito, explain } from './cognito'

export type AccountState =
  | { phase: 'restoring' }
  | { phase: 'signed-out'; notice?: string }
  | { phase: 'new-password' }
  | { phase: 'signed-in'; username: string }

const EXPIRED = 'Your session has expired. Sign in again to go on.'

/** Thrown to whoever wanted a session; the account has gone back to signed-out by then. */
export class SessionExpired extends Error {
  constructor() {
    super(EXPIRED)
    this.name = 'SessionExpired'
  }
}

/** Who is signed in, outside React: a request asks for its token here, and the views only watch. */
export class Account {
  #state: AccountState = { phase: 'restoring' }
  readonly #listeners = new Set<() => void>()
  readonly #cognito: Cognito

  constructor(cognito: Cognito) {
    this.#cognito = cognito
  }

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly state = () => this.#state

  /** A reload keeps the session of its tab. */
  async restore() {
    try {
      const session = await this.#cognito.session()
      this.#become(session ? { phase: 'signed-in', username: session.username } : { phase: 'signed-out' })
    } catch (error) {
      this.#become({ phase: 'signed-out', notice: explain(error) })
    }
  }

  async signIn(username: string, password: string) {
    await this.#follow(() => this.#cognito.signIn(username, password))
  }

  async choosePassword(password: string) {
    await this.#follow(() => this.#cognito.choosePassword(password))
  }

  async signOut(notice?: string) {
    // First: whoever reads that they are signed out may reload at once.
    await this.#cognito.signOut().catch(() => undefined)
    this.#become({ phase: 'signed-out', ...(notice && { notice }) })
  }

  /** The server has refused a token that looked valid here. */
  async expire() {
    await this.signOut(EXPIRED)
  }

  async session(): Promise<Session> {
    const session = await this.#cognito.session()
    if (!session) {
      await this.expire()
      throw new SessionExpired()
    }
    return session
  }

  async #follow(attempt: () => Promise<'done' | 'new-password'>) {
    try {
      if ((await attempt()) === 'new-password') {
        this.#become({ phase: 'new-password' })
        return
      }
    } catch (error) {
      throw new Error(explain(error), { cause: error })
    }
    await this.restore()
  }

  #become(state: AccountState) {
    this.#state = state
    for (const listener of this.#listeners) listener()
  }
}
