import type { Transport } from './transport'

export function appsync(_url: string, _realtime: string): Transport {
  throw new Error('not yet')
}
