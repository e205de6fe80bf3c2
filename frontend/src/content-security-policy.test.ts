import { expect, test } from 'vitest'
import { policy } from '../content-security-policy'

const DEPLOYED = {
  VITE_AWS_REGION: 'eu-central-1',
  VITE_USER_POOL_ENDPOINT: '',
  VITE_FUNCTION_URL: 'https://id.lambda-url.eu-central-1.on.aws/',
  VITE_WEBSOCKET_URL: 'wss://id.execute-api.eu-central-1.amazonaws.com/live',
}

test('connections go to the deployment and to its user pool, and nowhere else', () => {
  expect(policy(DEPLOYED)).toContain(
    'connect-src https://id.lambda-url.eu-central-1.on.aws wss://id.execute-api.eu-central-1.amazonaws.com ' +
      'https://cognito-idp.eu-central-1.amazonaws.com;',
  )
})

test('a user pool elsewhere takes the place of AWS’s', () => {
  const local = policy({ ...DEPLOYED, VITE_USER_POOL_ENDPOINT: 'http://127.0.0.1:4500/' })
  expect(local).toContain('connect-src http://127.0.0.1:4500 https://id.lambda-url')
  expect(local).not.toContain('cognito-idp')
})

test('nothing is allowed that is not named, neither inline nor by eval', () => {
  expect(policy(DEPLOYED)).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/)
  expect(policy(DEPLOYED)).not.toContain('unsafe')
  expect(policy({})).toContain("connect-src 'none'")
})
