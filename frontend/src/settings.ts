/** Where the deployment is: the `VITE_*` settings of `.env` and `.env.local`, the same keys locally and deployed. */
export interface Settings {
  region: string
  userPoolId: string
  userPoolClientId: string
  /** Set only where the user pool is not AWS's own: `make local`. */
  userPoolEndpoint?: string
  authFlow: 'USER_SRP_AUTH' | 'USER_PASSWORD_AUTH'
  functionUrl?: string
  websocketUrl?: string
  graphqlUrl?: string
  graphqlRealtimeUrl?: string
}

/** A setting is missing or wrong. `message` is one sentence for the person who runs the client. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
}

type Environment = Record<string, unknown>

/** Reads and checks the settings. An architecture without its address is not there; one that is half set is an error. */
export function readSettings(environment: Environment): Settings {
  const get = (key: string) => {
    const value = environment[key]
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
  }
  const need = (key: string) => {
    const value = get(key)
    if (value === undefined) {
      throw new SettingsError(
        `${key} is not set. Run \`make local\` or \`make deploy\`: both write the settings into frontend/.`,
      )
    }
    return value
  }
  const address = (key: string, ...schemes: string[]) => {
    const value = get(key)
    if (value === undefined) return undefined
    const scheme = URL.canParse(value) ? new URL(value).protocol.slice(0, -1) : ''
    if (!schemes.includes(scheme)) {
      throw new SettingsError(`${key} is not an address that begins with ${schemes.join(':// or ')}://.`)
    }
    return value
  }

  const userPoolEndpoint = address('VITE_USER_POOL_ENDPOINT', 'http', 'https')
  const functionUrl = address('VITE_FUNCTION_URL', 'http', 'https')
  const websocketUrl = address('VITE_WEBSOCKET_URL', 'ws', 'wss')
  const graphqlUrl = address('VITE_GRAPHQL_URL', 'http', 'https')
  const graphqlRealtimeUrl = address('VITE_GRAPHQL_REALTIME_URL', 'ws', 'wss')
  if ((graphqlUrl === undefined) !== (graphqlRealtimeUrl === undefined)) {
    need(graphqlUrl === undefined ? 'VITE_GRAPHQL_URL' : 'VITE_GRAPHQL_REALTIME_URL')
  }
  const authFlow = get('VITE_AUTH_FLOW') ?? 'USER_SRP_AUTH'
  if (authFlow !== 'USER_SRP_AUTH' && authFlow !== 'USER_PASSWORD_AUTH') {
    throw new SettingsError('VITE_AUTH_FLOW can be USER_SRP_AUTH or USER_PASSWORD_AUTH.')
  }
  const settings: Settings = {
    region: need('VITE_AWS_REGION'),
    userPoolId: need('VITE_USER_POOL_ID'),
    userPoolClientId: need('VITE_USER_POOL_CLIENT_ID'),
    authFlow,
    ...(userPoolEndpoint !== undefined && { userPoolEndpoint }),
    ...(functionUrl !== undefined && { functionUrl }),
    ...(websocketUrl !== undefined && { websocketUrl }),
    ...(graphqlUrl !== undefined && { graphqlUrl }),
    ...(graphqlRealtimeUrl !== undefined && { graphqlRealtimeUrl }),
  }
  if (!functionUrl && !websocketUrl && !graphqlUrl) {
    throw new SettingsError(
      'No architecture has an address: set VITE_FUNCTION_URL, VITE_WEBSOCKET_URL, or VITE_GRAPHQL_URL with VITE_GRAPHQL_REALTIME_URL.',
    )
  }
  return settings
}
