import { type StreamEvent, seqOf } from '../contract/event'
import type { Received } from './transport'

/** The contract's: a number that is missing after so many later events, or so long, is lost. */
export const WINDOW = { events: 16, ms: 2_000 }

export interface InOrderOptions {
  /** The first number to come. */
  next?: number
  /** Called instead of `flush` when a number seems to be lost: whoever looks for it calls `fill`, or `flush` after all. */
  onMissing?: () => void
}

/**
 * Hands events on in the order of their numbers: AppSync does not keep that of concurrent mutations. Behind a number
 * that is lost they are handed on as they are, and the lane sees the gap. Repetitions are handed on too, to be counted.
 */
export class InOrder {
  readonly #handOn: (received: Received) => void
  readonly #onMissing: () => void
  #next: number
  #early: { seq: number; received: Received }[] = []
  /** What was found elsewhere may still arrive, which is no repetition. */
  readonly #filled = new Set<number>()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(handOn: (received: Received) => void, { next = 0, onMissing }: InOrderOptions = {}) {
    this.#handOn = handOn
    this.#next = next
    this.#onMissing = onMissing ?? (() => this.flush())
  }

  /** The last number that was handed on; undefined before the first. */
  get last(): number | undefined {
    return this.#next > 0 ? this.#next - 1 : undefined
  }

  /** Something waits for a number that has not come. */
  get waits(): boolean {
    return this.#early.length > 0
  }

  push(received: Received) {
    const seq = seqOf(received.event)
    if (seq === undefined) {
      this.#handOn(received)
      return
    }
    if (this.#filled.delete(seq)) return
    const expected = this.#next
    this.#insert(seq, received)
    const progressed = this.#next > expected
    if (this.#early.length > WINDOW.events) this.#miss()
    else if (this.#early.length === 0 || progressed) this.#stopTimer()
    if (this.#early.length > 0) this.#timer ??= setTimeout(() => this.#miss(), WINDOW.ms)
  }

  /** Whether it has not come yet. */
  lacks(event: StreamEvent): boolean {
    const seq = seqOf(event)
    return seq === undefined || (seq >= this.#next && this.#early.every(early => early.seq !== seq))
  }

  /** One that was lacking, and found elsewhere. */
  fill(received: Received) {
    const seq = seqOf(received.event)
    if (seq === undefined) {
      this.#handOn(received)
      return
    }
    this.#filled.add(seq)
    this.#insert(seq, received)
    if (this.#early.length === 0) this.#stopTimer()
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

  #insert(seq: number, received: Received) {
    this.#early.push({ seq, received })
    this.#early.sort((a, b) => a.seq - b.seq)
    this.#catchUp()
  }

  #catchUp() {
    for (let first = this.#early[0]; first && first.seq <= this.#next; first = this.#early[0]) {
      this.#early.shift()
      this.#next = Math.max(this.#next, first.seq + 1)
      this.#handOn(first.received)
    }
  }

  #miss() {
    this.#stopTimer()
    this.#onMissing()
  }

  #stopTimer() {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
