import type { Plugin } from 'vite'

/**
 * Puts the policy into the built page: nothing but its own files, and connections to the deployment's addresses only.
 * In development there is none, because Vite's own client needs inline styles and a socket.
 */
export function contentSecurityPolicy(environment: Record<string, string>): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: () => [
        {
          tag: 'meta',
          injectTo: 'head-prepend',
          attrs: { 'http-equiv': 'Content-Security-Policy', content: policy(environment) },
        },
      ],
    },
  }
}

export function policy(environment: Record<string, string>): string {
  const directives = {
    'default-src': ["'none'"],
    'script-src': ["'self'"],
    'style-src': ["'self'"],
    'worker-src': ["'self'"],
    'img-src': ["'self'"],
    'connect-src': origins(environment),
    'base-uri': ["'none'"],
    // Forms are handled by script: none may ever be sent, wherever it came from.
    'form-action': ["'none'"],
  }
  return Object.entries(directives)
    .map(([name, values]) => `${name} ${values.join(' ')}`)
    .join('; ')
}

const ADDRESSES = [
  'VITE_USER_POOL_ENDPOINT',
  'VITE_FUNCTION_URL',
  'VITE_WEBSOCKET_URL',
  'VITE_GRAPHQL_URL',
  'VITE_GRAPHQL_REALTIME_URL',
]

function origins(environment: Record<string, string>): string[] {
  const found = ADDRESSES.flatMap(key => {
    const value = environment[key]
    return value && URL.canParse(value) ? [`${new URL(value).protocol}//${new URL(value).host}`] : []
  })
  const region = environment.VITE_AWS_REGION
  // AWS's own user pool, unless another one is named.
  if (region && !environment.VITE_USER_POOL_ENDPOINT) found.push(`https://cognito-idp.${region}.amazonaws.com`)
  return found.length > 0 ? [...new Set(found)] : ["'none'"]
}
