import { expect, test } from 'vitest'
import { readSettings } from './settings'

const local = {
  VITE_AWS_REGION: 'us-east-1',
  VITE_USER_POOL_ID: 'us-east-1_local',
  VITE_USER_POOL_CLIENT_ID: 'client',
  VITE_USER_POOL_ENDPOINT: 'http://127.0.0.1:4500/',
  VITE_AUTH_FLOW: 'USER_PASSWORD_AUTH',
  VITE_FUNCTION_URL: 'http://127.0.0.1:4501/',
  VITE_WEBSOCKET_URL: 'ws://127.0.0.1:4502/live',
  VITE_GRAPHQL_URL: 'http://127.0.0.1:4503/graphql',
  VITE_GRAPHQL_REALTIME_URL: 'ws://127.0.0.1:4503/graphql',
}

test('the settings of make local are read', () => {
  expect(readSettings(local)).toEqual({
    region: 'us-east-1',
    userPoolId: 'us-east-1_local',
    userPoolClientId: 'client',
    userPoolEndpoint: 'http://127.0.0.1:4500/',
    authFlow: 'USER_PASSWORD_AUTH',
    functionUrl: 'http://127.0.0.1:4501/',
    websocketUrl: 'ws://127.0.0.1:4502/live',
    graphqlUrl: 'http://127.0.0.1:4503/graphql',
    graphqlRealtimeUrl: 'ws://127.0.0.1:4503/graphql',
  })
})

test('an empty setting is not set, and the flow is SRP by default', () => {
  const settings = readSettings({
    ...local,
    VITE_USER_POOL_ENDPOINT: '',
    VITE_AUTH_FLOW: '',
    VITE_GRAPHQL_URL: '',
    VITE_GRAPHQL_REALTIME_URL: ' ',
  })
  expect(settings.authFlow).toBe('USER_SRP_AUTH')
  expect(settings).not.toHaveProperty('userPoolEndpoint')
  expect(settings).not.toHaveProperty('graphqlUrl')
})

test.each([
  [{ VITE_AWS_REGION: '' }, 'VITE_AWS_REGION is not set'],
  [{ VITE_USER_POOL_ID: undefined }, 'VITE_USER_POOL_ID is not set'],
  [{ VITE_USER_POOL_CLIENT_ID: undefined }, 'VITE_USER_POOL_CLIENT_ID is not set'],
  [
    { VITE_FUNCTION_URL: 'ws://127.0.0.1/' },
    'VITE_FUNCTION_URL is not an address that begins with http:// or https://.',
  ],
  [
    { VITE_WEBSOCKET_URL: 'http://127.0.0.1/' },
    'VITE_WEBSOCKET_URL is not an address that begins with ws:// or wss://.',
  ],
  [{ VITE_WEBSOCKET_URL: 'nonsense' }, 'VITE_WEBSOCKET_URL is not'],
  [{ VITE_GRAPHQL_URL: '' }, 'VITE_GRAPHQL_URL is not set'],
  [{ VITE_GRAPHQL_REALTIME_URL: '' }, 'VITE_GRAPHQL_REALTIME_URL is not set'],
  [{ VITE_AUTH_FLOW: 'CUSTOM' }, 'VITE_AUTH_FLOW can be'],
  [
    { VITE_FUNCTION_URL: '', VITE_WEBSOCKET_URL: '', VITE_GRAPHQL_URL: '', VITE_GRAPHQL_REALTIME_URL: '' },
    'No architecture has an address',
  ],
])('a setting that is missing or wrong is named: %o', (change, complaint) => {
  expect(() => readSettings({ ...local, ...change })).toThrow(complaint)
})
