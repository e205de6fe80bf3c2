import type { Transport } from './transport'

export function websocketApi(_url: string): Transport {
  throw new Error('not yet')
}
