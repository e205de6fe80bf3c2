import type { FailureCode } from '../contract/error-code'
import { ContractError, isTerminal } from '../contract/event'
import { type Received, TransportError } from './transport'

/** Milliseconds without any event of this answer, after which the connection counts as dead. */
export interface Patience {
  /** Until `start`: the server says nothing before, and waits up to 75 s for the model. */
  untilStart: number
  /** From one event to the next: the server sends a ping every 10 s. */
  between: number
}

export const PATIENCE: Patience = { untilStart: 90_000, between: 45_000 }

/** Of an answer that is taken up behind an event: its start was heard before. */
export function patienceBehind(patience: Patience, after: number | undefined): Patience {
  return after === undefined ? patience : { ...patience, untilStart: patience.between }
}

/**
 * What a transport's callbacks have received, in a queue for who iterates over it: receiving never waits for reading.
 * Ends by itself after the terminal event, since what follows one is to be ignored, and with `signal`.
 */
export class Arrivals implements AsyncIterable<Received> {
  readonly #queue: Received[] = []
  readonly #patience: Patience
  readonly #signal: AbortSignal
  #ended = false
  #started = false
  #complete = false
  #failure: TransportError | undefined
  #wake: (() => void) | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(signal: AbortSignal, patience: Patience = PATIENCE) {
    this.#signal = signal
    this.#patience = patience
    signal.addEventListener('abort', this.#finish)
    if (signal.aborted) this.#finish()
    else this.#wait()
  }

  /** Nothing more will be taken. */
  get ended(): boolean {
    return this.#ended
  }

  /** Whether the model has accepted the request, as far as this queue has heard. */
  get started(): boolean {
    return this.#started
  }

  /** The terminal event has come. */
  get complete(): boolean {
    return this.#complete
  }

  push(received: Received) {
    if (this.#ended) return
    this.#queue.push(received)
    if (received.event.type !== 'ping') this.#started = true
    this.#complete = isTerminal(received.event)
    if (this.#complete) this.#finish()
    else this.#wait()
    this.#wake?.()
  }

  /** The connection is over. Without a terminal event the answer is incomplete. */
  close(message = 'The connection ended before the answer did.', code: FailureCode = 'network') {
    const retryable = code !== 'unauthorized'
    this.fail(new TransportError({ phase: this.#phase(), code, message, retryable }))
  }

  /** Tells whoever iterates, after all that was received. Anything that is not a `TransportError` becomes one. */
  fail(error: unknown) {
    if (this.#ended) return
    this.#failure = error instanceof TransportError ? error : asTransportError(error, this.#phase())
    this.#finish()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Received, void> {
    try {
      for (;;) {
        const received = this.#signal.aborted ? undefined : this.#queue.shift()
        if (received) {
          yield received
        } else if (this.#ended) {
          break
        } else {
          await new Promise<void>(resolve => {
            this.#wake = resolve
          })
        }
      }
      if (this.#failure && !this.#signal.aborted) throw this.#failure
    } finally {
      this.#finish()
    }
  }

  readonly #finish = () => {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#signal.removeEventListener('abort', this.#finish)
    this.#wake?.()
  }

  #wait() {
    clearTimeout(this.#timer)
    const limit = this.#started ? this.#patience.between : this.#patience.untilStart
    this.#timer = setTimeout(() => {
      this.close(`Nothing has arrived for ${Math.round(limit / 1000)} s, not even a sign of life.`)
    }, limit)
  }

  #phase() {
    return this.#started ? 'stream' : 'request'
  }
}

function asTransportError(error: unknown, phase: 'request' | 'stream'): TransportError {
  if (error instanceof ContractError) {
    const message = `The server broke the stream contract: ${error.message}`
    return new TransportError({ phase, code: 'protocol', message, retryable: false, cause: error })
  }
  const message = 'The connection broke before the answer had ended.'
  return new TransportError({ phase, code: 'network', message, retryable: true, cause: error })
}
