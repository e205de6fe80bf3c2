// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Settings } from '../settings'
import { amplify } from './amplify'

const SETTINGS: Settings = {
  region: 'eu-central-1',
  userPoolId: 'eu-central-1_AbCdEf123',
  userPoolClientId: 'client',
  authFlow: 'USER_PASSWORD_AUTH',
}

interface Asked {
  address: string
  operation: string
  body: Record<string, unknown>
  keepalive: boolean | undefined
  answer: (body: object) => void
}

/** What the user pool has been asked: each of it waits until the test answers. */
let asked: Asked[]

beforeEach(() => {
  asked = []
  sessionStorage.clear()
  vi.stubGlobal('fetch', (address: URL | string, { headers, body, keepalive }: RequestInit) => {
    const target = new Headers(headers).get('x-amz-target') ?? ''
    return new Promise(resolve => {
      const answer = (json: object) => resolve(new Response(JSON.stringify(json)))
      const operation = target.replace('AWSCognitoIdentityProviderService.', '')
      asked.push({ address: String(address), operation, body: JSON.parse(String(body)), keepalive, answer })
    })
  })
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

function token(username: string): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = { sub: `sub of ${username}`, username, iat: now, exp: now + 3_600, origin_jti: 'origin' }
  return [{ alg: 'RS256' }, claims]
    .map(part => btoa(JSON.stringify(part)))
    .join('.')
    .concat('.signature')
}

function tokens(username: string) {
  const jwt = token(username)
  return { AuthenticationResult: { AccessToken: jwt, IdToken: jwt, RefreshToken: `refresh of ${username}` } }
}

async function next(operation: string): Promise<Asked> {
  return vi.waitFor(() => {
    const index = asked.findIndex(one => one.operation === operation)
    if (index < 0) throw new Error(`${operation} has not been asked, but ${asked.map(one => one.operation)}`)
    return asked.splice(index, 1)[0] as Asked
  })
}

async function signedIn(username: string) {
  const pool = amplify(SETTINGS)
  const step = pool.signIn(username, 'password')
  ;(await next('InitiateAuth')).answer(tokens(username))
  expect(await step).toBe('done')
  return pool
}

/** Signed in for so long that the next request for a session is one for tokens. */
async function refreshing() {
  const pool = await signedIn('ada')
  vi.setSystemTime(Date.now() + 7_200_000)
  const session = pool.session()
  return { pool, session, refresh: await next('GetTokensFromRefreshToken') }
}

const kept = () => Object.values(sessionStorage).join()

test('signing out leaves nothing in this tab, though the service has not answered', async () => {
  const pool = await signedIn('ada')
  expect(kept()).toContain('refresh of ada')
  await pool.signOut()
  expect(Object.keys(sessionStorage)).toEqual([])
  expect(await pool.session()).toBeUndefined()
  const { address, body, keepalive } = await next('RevokeToken')
  expect(address).toBe('https://cognito-idp.eu-central-1.amazonaws.com/')
  expect(body).toEqual({ ClientId: 'client', Token: 'refresh of ada' })
  expect(keepalive, 'a reload does not stop it').toBe(true)
  expect(asked).toEqual([])
})

test('another sign-in does not wait for the former’s revocation', async () => {
  const pool = await signedIn('ada')
  await pool.signOut()
  const again = pool.signIn('eve', 'password')
  ;(await next('InitiateAuth')).answer(tokens('eve'))
  expect(await again).toBe('done')
  ;(await next('RevokeToken')).answer({})
  expect(await pool.session()).toMatchObject({ username: 'eve', owner: 'sub of eve' })
})

test('a refresh that was under way brings nobody back', async () => {
  const { pool, session, refresh } = await refreshing()
  await pool.signOut()
  const again = pool.signIn('eve', 'password')
  refresh.answer(tokens('ada'))
  await session
  ;(await next('InitiateAuth')).answer(tokens('eve'))
  expect(await again).toBe('done')
  expect(kept()).not.toContain('ada')
  expect(await pool.session()).toMatchObject({ username: 'eve' })
})

test('what a refresh stores after a sign-out is forgotten as well', async () => {
  const { pool, session, refresh } = await refreshing()
  await pool.signOut()
  refresh.answer(tokens('ada'))
  await session
  await vi.waitFor(() => expect(Object.keys(sessionStorage)).toEqual([]))
})
