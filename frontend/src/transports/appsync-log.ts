import { type StreamEvent, seqOf } from '../contract/event'
import type { Logged } from './appsync-graphql'
import type { InOrder } from './in-order'
import { TransportError } from './transport'

/** Milliseconds without any event, after which the log is asked whether there are some. */
export const SILENCE = {
  /** Before the first: it may wait in the queue, or the subscription may be deaf. */
  unheard: 2_000,
  /** After it a ping comes every 10 s. */
  between: 5_000,
  /** After a stop, which is in the log within half a second. */
  stopped: 600,
}

/** What is logged may be on its way here: it counts as found only if it does not come so soon. */
const GRACE_MS = 250

/** The log is up to half a second behind what was published. */
const BEHIND_MS = 600
/** And on a bad day more. */
const LOOKS = 3
const BETWEEN_LOOKS_MS = 1_000

/** Finds in the log what AppSync has not delivered: it may lose an event, and replays none. */
export class LogReader {
  readonly #ask: (after: number | undefined) => Promise<Logged>
  readonly #inOrder: InOrder
  readonly #found: (at: number, after: number | undefined) => void
  #listening = false
  #silence = SILENCE.unheard
  #looking = false
  #looks = 0
  #missed = false
  /** What is found still belongs to what was to be caught up with. */
  #joining = false
  /** Switched off, or not for us. */
  #useless = false
  #closed = false
  #timer: ReturnType<typeof setTimeout> | undefined

  /** `found` hears behind which event there was something that AppSync had not delivered. */
  constructor(
    ask: (after: number | undefined) => Promise<Logged>,
    inOrder: InOrder,
    found: (at: number, after: number | undefined) => void,
  ) {
    this.#ask = ask
    this.#inOrder = inOrder
    this.#found = found
  }

  /** Looks into the log whenever nothing is heard for a while. */
  listen() {
    this.#listening = true
    this.#wait()
  }

  /** AppSync has delivered something. */
  heard(event: StreamEvent) {
    if (seqOf(event) !== undefined && this.#silence === SILENCE.unheard) this.#silence = SILENCE.between
    if (this.#listening) this.#wait()
  }

  /** The end is near, and may be in the log alone: nobody publishes that of an answer that was still queued. */
  hurry() {
    this.#silence = SILENCE.stopped
    if (this.#listening) this.#wait()
  }

  /** A number seems to be lost. */
  missing() {
    if (this.#useless) {
      this.#inOrder.flush()
      return
    }
    // More that comes behind it changes nothing: the next look is due.
    if (this.#missed) return
    this.#missed = true
    void this.#look()
  }

  /** Everything that is logged so far. Rejects where that cannot be read. */
  async catchUp() {
    this.#joining = true
    this.#looking = true
    try {
      await this.#read(0)
    } finally {
      this.#looking = false
    }
    // What was published just before the subscription stood was not logged yet.
    this.#missed = true
    if (!this.#closed) this.#timer = setTimeout(() => void this.#look(), BEHIND_MS)
  }

  close() {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  async #read(grace: number) {
    let told = this.#joining
    for (;;) {
      const { events, ended } = await this.#ask(this.#inOrder.last)
      if (events.length > 0 && grace > 0) await new Promise(resolve => setTimeout(resolve, grace))
      if (this.#closed) return
      const at = performance.now()
      for (const { event, bytes } of events) {
        if (!this.#inOrder.lacks(event)) continue
        if (!told) this.#found(at, this.#inOrder.last)
        told = true
        this.#inOrder.fill({ at, bytes, event })
      }
      if (ended || events.length === 0) return
    }
  }

  async #look() {
    if (this.#looking || this.#closed) return
    this.#looking = true
    clearTimeout(this.#timer)
    try {
      await this.#read(this.#missed ? 0 : GRACE_MS)
    } catch (error) {
      this.#useless = !(error instanceof TransportError && error.retryable)
    }
    this.#looking = false
    if (this.#closed) return
    if (!this.#missed || !this.#inOrder.waits) {
      this.#foundAll()
    } else if (!this.#useless && ++this.#looks < LOOKS) {
      this.#timer = setTimeout(() => void this.#look(), BETWEEN_LOOKS_MS)
    } else {
      this.#inOrder.flush()
      this.#foundAll()
    }
  }

  #foundAll() {
    this.#missed = false
    this.#joining = false
    this.#looks = 0
    if (this.#listening) this.#wait()
  }

  #wait() {
    // A look is under way or due, and goes on to wait by itself.
    if (this.#looking || this.#missed || this.#useless || this.#closed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(), this.#silence)
  }
}
