import { seqOf } from '../contract/event'
import type { Received } from './transport'

/** The contract's: a number that is missing after so many later events, or so long, is lost. */
export const WINDOW = { events: 16, ms: 2_000 }

/**
 * Hands events on in the order of their numbers: AppSync does not keep that of concurrent mutations. Behind a number
 * that is lost they are handed on as they are, and the lane sees the gap. Repetitions are handed on too, to be counted.
 */
export class InOrder {
  readonly #handOn: (received: Received) => void
  #next = 0
  #early: { seq: number; received: Received }[] = []
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(handOn: (received: Received) => void) {
    this.#handOn = handOn
  }

  push(received: Received) {
    const seq = seqOf(received.event)
    if (seq === undefined) {
      this.#handOn(received)
      return
    }
    const expected = this.#next
    this.#early.push({ seq, received })
    this.#early.sort((a, b) => a.seq - b.seq)
    this.#catchUp()
    const progressed = this.#next > expected
    if (this.#early.length > WINDOW.events) this.flush()
    else if (this.#early.length === 0 || progressed) this.#stopTimer()
    if (this.#early.length > 0) this.#timer ??= setTimeout(() => this.flush(), WINDOW.ms)
  }

  /** Calls what is missing lost. */
  flush() {
    this.#stopTimer()
    this.#next = this.#early[0]?.seq ?? this.#next
    this.#catchUp()
    if (this.#early.length > 0) this.flush()
  }

  /** Forgets what waits. */
  close() {
    this.#stopTimer()
    this.#early = []
  }

  #catchUp() {
    for (let first = this.#early[0]; first && first.seq <= this.#next; first = this.#early[0]) {
      this.#early.shift()
      this.#next = Math.max(this.#next, first.seq + 1)
      this.#handOn(first.received)
    }
  }

  #stopTimer() {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
