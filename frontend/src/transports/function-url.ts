import type { Transport } from './transport'

export function functionUrl(_url: string): Transport {
  throw new Error('not yet')
}
