/** The state of one answer. Pure: the same events give the same lane, however often some of them arrive. */

import { type StopReason, type StreamEvent, seqOf, type Timing, type Usage } from '../contract/event'
import type { Received, TransportError, TransportFailure } from '../transports/transport'

export type LanePhase = 'idle' | 'connecting' | 'accepted' | 'streaming' | 'done' | 'failed' | 'stopped'

/** All times are `performance.now()`. */
export interface Lane {
  phase: LanePhase
  streamId?: string
  /** The answer so far: always its beginning, without a hole. */
  text: string
  model?: string
  /** The number that the next event must have. */
  nextSeq: number
  /** Numbers that never arrived. More than 0 only in a lane that failed. */
  gaps: number
  /** Numbers that arrived again. */
  duplicates: number
  stopReason?: StopReason
  usage?: Usage
  timing?: Timing
  failure?: TransportFailure & {
    /** Not to be asked again before. */
    retryAt?: number
  }
  /** The server has been asked to stop the answer, whose end is still to come. */
  stopping?: boolean
  /** Since when the answer gets no further: it is being taken up again. */
  droppedAt?: number
  /** Where it was taken up again: behind the event of that number, or from its beginning. */
  resumptions: readonly { at: number; after: number | undefined }[]
  /** Out of the log, after a reload of the page: its times are those of reading, not of the answer. */
  foundAgain?: boolean
  startedAt?: number
  connectedAt?: number
  acceptedAt?: number
  firstTokenAt?: number
  endedAt?: number
  bytes: number
  /** What the transport carried for this answer, pings and repetitions included. */
  messages: number
  /** When how much text could be read: one per delta, times never falling. */
  arrivals: readonly { at: number; characters: number }[]
  /** For inspection: the first ones, at most `INSPECTED`. */
  events: readonly Received[]
}

export type LaneAction =
  | { type: 'begin'; at: number; streamId: string; foundAgain?: boolean }
  | { type: 'began'; at: number }
  | { type: 'connected'; at: number }
  | { type: 'received'; received: Received }
  | { type: 'dropped'; at: number }
  | { type: 'resumed'; at: number; after: number | undefined }
  | { type: 'stopping' }
  | { type: 'failed'; at: number; error: TransportError }
  | { type: 'stopped'; at: number }

/** More are not kept: an answer at its cap has some 1,000 tokens. */
export const INSPECTED = 2_000

export const idle: Lane = {
  phase: 'idle',
  text: '',
  nextSeq: 0,
  gaps: 0,
  duplicates: 0,
  resumptions: [],
  bytes: 0,
  messages: 0,
  arrivals: [],
  events: [],
}

/** Nothing changes any more; whoever feeds the lane can close the connection. */
export function hasEnded({ phase }: Lane): boolean {
  return phase === 'done' || phase === 'failed' || phase === 'stopped'
}

export function lane(state: Lane, action: LaneAction): Lane {
  if (action.type === 'begin') {
    const { at: startedAt, streamId, foundAgain } = action
    return { ...idle, phase: 'connecting', streamId, startedAt, ...(foundAgain && { foundAgain }) }
  }
  if (state.phase === 'idle') return state
  if (action.type === 'began') {
    // The time that a busy page needs to hand its request over is not the architecture's.
    return state.phase === 'connecting' && state.connectedAt === undefined ? { ...state, startedAt: action.at } : state
  }
  if (action.type === 'connected') {
    // Allowed after the end: a browser says only then when it had sent its request.
    const known = state.connectedAt ?? Number.POSITIVE_INFINITY
    return action.at < known ? { ...state, connectedAt: action.at } : state
  }
  if (hasEnded(state)) return state
  switch (action.type) {
    case 'received':
      return received(state, action.received)
    case 'dropped':
      return { ...state, droppedAt: action.at }
    case 'resumed': {
      const { at, after } = action
      const { droppedAt: _, ...on } = state
      return { ...on, resumptions: [...state.resumptions, { at, after }] }
    }
    case 'stopping':
      return { ...state, stopping: true }
    case 'failed': {
      const { phase, code, message, retryable, unexplained, retryAfter } = action.error
      const failure = { phase, code, message, retryable, ...(unexplained && { unexplained }) }
      return { ...state, phase: 'failed', failure: { ...failure, ...retry(action.at, retryAfter) }, endedAt: action.at }
    }
    case 'stopped':
      return { ...state, phase: 'stopped', endedAt: action.at }
  }
}

function received(before: Lane, received: Received): Lane {
  const { at, bytes, event } = received
  // Comparing as strings is enough: an id is echoed as it was written. Without one it is about this request.
  if (event.stream_id !== undefined && event.stream_id !== before.streamId) return before
  const state: Lane = {
    ...before,
    bytes: before.bytes + bytes,
    messages: before.messages + 1,
    events: before.events.length < INSPECTED ? [...before.events, received] : before.events,
  }
  const seq = seqOf(event)
  if (seq === undefined) return event.type === 'ping' ? state : next(state, event, at)
  if (seq < state.nextSeq) return { ...state, duplicates: state.duplicates + 1 }
  if (seq > state.nextSeq) return broken(state, seq, at)
  return next({ ...state, nextSeq: seq + 1 }, event, at)
}

/** The next event in order, or one that stands outside the count. */
function next(state: Lane, event: StreamEvent, at: number): Lane {
  switch (event.type) {
    case 'start':
      return { ...state, phase: 'accepted', model: event.model, acceptedAt: at }
    case 'delta': {
      // One that had to wait for an earlier one could not be read before that had come.
      const readable = Math.max(at, state.arrivals.at(-1)?.at ?? at)
      return {
        ...state,
        phase: 'streaming',
        text: state.text + event.text,
        firstTokenAt: state.firstTokenAt ?? readable,
        arrivals: [...state.arrivals, { at: readable, characters: event.text.length }],
      }
    }
    case 'done': {
      const { stop_reason: stopReason, usage, timing } = event
      // By whomever: another tab may have stopped it.
      const phase = stopReason === 'cancelled' ? 'stopped' : 'done'
      return { ...state, phase, stopReason, timing, ...(usage && { usage }), endedAt: end(state, at) }
    }
    case 'error': {
      const { code, message, retryable, retry_after } = event
      const phase = state.acceptedAt === undefined ? 'request' : 'stream'
      const failure = { phase, code, message, retryable, ...retry(at, retry_after) } as const
      return { ...state, phase: 'failed', failure, endedAt: end(state, at) }
    }
    case 'ping':
      return state
  }
}

/** Text is never joined over a hole: what was received stays the beginning of the answer. */
function broken(state: Lane, seq: number, at: number): Lane {
  const gaps = seq - state.nextSeq
  const missing = gaps === 1 ? `Event ${state.nextSeq}` : `Events ${state.nextSeq} to ${seq - 1}`
  const message = `${missing} never arrived, so a part of the answer is missing.`
  const failure: TransportFailure = { phase: 'stream', code: 'protocol', message, retryable: true, lost: true }
  return { ...state, phase: 'failed', gaps, failure, endedAt: end(state, at) }
}

function retry(at: number, seconds: number | undefined) {
  return seconds === undefined ? {} : { retryAfter: seconds, retryAt: at + seconds * 1000 }
}

function end(state: Lane, at: number): number {
  return Math.max(at, state.arrivals.at(-1)?.at ?? at)
}
