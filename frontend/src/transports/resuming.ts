/** An answer outlives its connection: what breaks off is taken up again out of the server's log. */

import { type StreamEvent, seqOf } from '../contract/event'
import { type Marks, type Received, type Session, type Transport, TransportError } from './transport'

/** Milliseconds before each try, at most, and at least half of it: not every client is to come back at once. */
export const BACKOFF = [250, 1_000, 2_000, 4_000, 8_000]

/** No try begins so long after the answer broke off. */
export const ENOUGH_MS = 15_000

/** How long a try may take until there is a connection. */
const CONNECTING_MS = 5_000

/** An answer that was asked for a moment ago need not be in the log yet: not before this try. */
const FOUND_BY_TRY = 3

/**
 * A transport whose answers are taken up again, as often as they get any further. What cannot be taken up ends as it
 * would have without. `renew` gives a session whose token is valid.
 */
export function resuming(transport: Transport, renew: () => Promise<Session>): Transport {
  return {
    stream(request, session, signal, marks) {
      const first = () => transport.stream(request, session, signal, marks)
      return new Follower({ transport, renew, streamId: request.streamId, signal, marks }).follow(first, breaksOff)
    },
    resume(streamId, after, session, signal, marks) {
      const first = () => transport.resume(streamId, after, session, signal, marks)
      return new Follower({ transport, renew, streamId, after, signal, marks }).follow(first, mayPass)
    },
    async cancel(streamId, session) {
      try {
        await transport.cancel(streamId, session)
      } catch (error) {
        if (!(error instanceof TransportError) || error.code !== 'unauthorized') throw error
        await transport.cancel(streamId, await renew())
      }
    },
  }
}

/** The request was sent, as far as anybody knows, and its answer may go on without us. */
function breaksOff({ code, phase, perhapsSent }: TransportError): boolean {
  return code === 'network' && (phase !== 'connect' || perhapsSent)
}

/** Another try to take an answer up may succeed: with a new token, too. */
function mayPass({ code, retryable }: TransportError): boolean {
  return retryable || code === 'unauthorized'
}

/** Why an answer does not go on where it was: its connection is over, or this event shows that one is missing. */
type Break = { failure: TransportError } | { behindGap: Received }

interface Following {
  transport: Transport
  renew: () => Promise<Session>
  streamId: string
  after?: number | undefined
  signal: AbortSignal
  marks: Marks | undefined
}

class Follower {
  readonly #what: Following
  /** The last number that was handed on. */
  #last: number | undefined
  /** Since when the answer gets no further, and why. */
  #broken: { why: Break; at: number; tries: number } | undefined
  /** The first event of a try is still to come. */
  #trying = false

  constructor(what: Following) {
    this.#what = what
    this.#last = what.after
  }

  /** `goesOn` says after which failures of the first connection it is worth to try. */
  async *follow(first: () => AsyncIterable<Received>, goesOn: (failure: TransportError) => boolean) {
    const { signal, marks } = this.#what
    let worth = goesOn
    let events: AsyncIterable<Received> | undefined = first()
    while (events) {
      const why: Break | undefined = yield* this.#hear(events)
      if (!why || signal.aborted) return
      if (this.#broken && !this.#mayTryAfter(why)) break
      if (!this.#broken) {
        if ('failure' in why && !worth(why.failure)) throw why.failure
        this.#broken = { why, at: performance.now(), tries: 0 }
        marks?.dropped?.(this.#broken.at)
      }
      worth = breaksOff
      events = await this.#nextTry()
      if (signal.aborted) return
    }
    yield* this.#giveUp()
  }

  /** Hands events on until they are over, which gives undefined, or break off. */
  async *#hear(events: AsyncIterable<Received>): AsyncGenerator<Received, Break | undefined> {
    try {
      for await (const received of events) {
        const seq = this.#seqOf(received.event)
        const next = this.#last === undefined ? 0 : this.#last + 1
        if (seq !== undefined && seq > next) return { behindGap: received }
        if (this.#trying) this.#what.marks?.resumed?.(received.at, this.#last)
        this.#trying = false
        if (seq === next) {
          this.#last = seq
          this.#broken = undefined
        }
        yield received
      }
      return undefined
    } catch (error) {
      if (error instanceof TransportError) return { failure: error }
      throw error
    }
  }

  #seqOf(event: StreamEvent): number | undefined {
    return event.stream_id === this.#what.streamId ? seqOf(event) : undefined
  }

  /** After a try that has failed as well. */
  #mayTryAfter(why: Break): boolean {
    if (!this.#broken || 'behindGap' in why) return true
    const { why: original, tries } = this.#broken
    // Nobody can be reached now either: the request has hardly been sent.
    if ('failure' in original && original.failure.perhapsSent && why.failure.phase === 'connect') return false
    const isNew = this.#last === undefined && 'failure' in original
    if (why.failure.code === 'not_found') return isNew && tries < FOUND_BY_TRY
    return mayPass(why.failure)
  }

  /** Undefined when there have been enough. */
  async #nextTry(): Promise<AsyncIterable<Received> | undefined> {
    const { transport, renew, streamId, signal, marks } = this.#what
    const broken = this.#broken
    const longest = BACKOFF[broken?.tries ?? 0]
    if (!broken || longest === undefined || performance.now() - broken.at > ENOUGH_MS) return undefined
    broken.tries++
    await pause((longest * (1 + Math.random())) / 2, signal)
    if (signal.aborted) return undefined
    const session = await renew().catch(() => undefined)
    if (!session || signal.aborted) return undefined
    this.#trying = true
    return inTime(signal, (signal, connected) => {
      const told = (at: number) => {
        connected()
        marks?.connected?.(at)
      }
      const resumed = (at: number, after: number | undefined) => marks?.resumed?.(at, after)
      return transport.resume(streamId, this.#last, session, signal, { connected: told, resumed })
    })
  }

  async *#giveUp(): AsyncGenerator<Received, void> {
    const why = this.#broken?.why
    if (!why) return
    if ('failure' in why) throw why.failure
    yield why.behindGap
  }
}

/** Fails when there is no connection, and no event either, in time. */
async function* inTime(
  signal: AbortSignal,
  open: (signal: AbortSignal, connected: () => void) => AsyncIterable<Received>,
): AsyncGenerator<Received, void> {
  const trying = new AbortController()
  const abort = () => trying.abort()
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  let late = false
  const timer = setTimeout(() => {
    late = true
    abort()
  }, CONNECTING_MS)
  try {
    for await (const received of open(trying.signal, () => clearTimeout(timer))) {
      clearTimeout(timer)
      yield received
    }
    if (late) {
      const message = 'The connection could not be made again in time.'
      throw new TransportError({ phase: 'connect', code: 'network', message, retryable: true })
    }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}
