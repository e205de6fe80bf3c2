/** The events of the stream contract (`protocol/README.md`): the same on every transport. */

import { type ErrorCode, isErrorCode } from './error-code'

export const STOP_REASONS = [
  'end_turn',
  'max_tokens',
  'stop_sequence',
  'content_filtered',
  'guardrail_intervened',
  'cancelled',
] as const
export type StopReason = (typeof STOP_REASONS)[number]

/** What the model billed. */
export interface Usage {
  input_tokens: number
  output_tokens: number
}

/** Milliseconds since the function that talks to the model received the request. */
export interface Timing {
  /** Absent when there was no text. */
  first_token_ms?: number
  total_ms: number
}

export type StreamEvent =
  | { type: 'start'; stream_id: string; seq: 0; model: string }
  | { type: 'delta'; stream_id: string; seq: number; text: string }
  /** Without `stream_id` it is about a connection, not an answer. */
  | { type: 'ping'; stream_id?: string }
  | { type: 'done'; stream_id: string; seq: number; stop_reason: StopReason; usage?: Usage; timing: Timing }
  | ErrorEvent

export interface ErrorEvent {
  type: 'error'
  stream_id?: string
  seq?: number
  code: ErrorCode
  message: string
  retryable: boolean
  /** In whole seconds. Absent where nobody can say. */
  retry_after?: number
}

/** What arrived is not an event of the contract. `message` names the field, never its value: it may be an answer. */
export class ContractError extends Error {
  override readonly name = 'ContractError'
}

/** `done` or `error`: nothing may follow. */
export function isTerminal(event: StreamEvent): boolean {
  return event.type === 'done' || event.type === 'error'
}

/** The number of an event; undefined for `ping` and for an `error` outside the count. */
export function seqOf(event: StreamEvent): number | undefined {
  return event.type === 'ping' ? undefined : event.seq
}

/** One event out of its JSON text. */
export function parseEvent(json: string): StreamEvent {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    throw new ContractError('An event is not JSON.')
  }
  return decodeEvent(value)
}

/** One event out of a JSON value. Fields that the contract does not know are left out; `null` counts as absent. */
export function decodeEvent(value: unknown): StreamEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ContractError('An event is not a JSON object.')
  }
  const fields = new Fields(value as Record<string, unknown>)
  switch (fields.text('type')) {
    case 'start': {
      if (fields.count('seq') !== 0) throw new ContractError('`seq` of `start` is not 0.')
      return { type: 'start', stream_id: fields.text('stream_id'), seq: 0, model: fields.text('model') }
    }
    case 'delta':
      return { type: 'delta', stream_id: fields.text('stream_id'), seq: fields.count('seq'), text: fields.text('text') }
    case 'ping':
      return { type: 'ping', ...(fields.has('stream_id') && { stream_id: fields.text('stream_id') }) }
    case 'done':
      return done(fields)
    case 'error':
      return error(fields)
    default:
      throw new ContractError('An event is of no known `type`.')
  }
}

function done(fields: Fields): StreamEvent {
  const reason = STOP_REASONS.find(known => known === fields.text('stop_reason'))
  if (!reason) throw new ContractError('`stop_reason` of `done` is not a known one.')
  const timing = fields.object('timing')
  const usage = fields.has('usage') ? fields.object('usage') : undefined
  return {
    type: 'done',
    stream_id: fields.text('stream_id'),
    seq: fields.count('seq'),
    stop_reason: reason,
    ...(usage && {
      usage: { input_tokens: usage.count('input_tokens'), output_tokens: usage.count('output_tokens') },
    }),
    timing: {
      ...(timing.has('first_token_ms') && { first_token_ms: timing.count('first_token_ms') }),
      total_ms: timing.count('total_ms'),
    },
  }
}

function error(fields: Fields): StreamEvent {
  const code = fields.text('code')
  return {
    type: 'error',
    ...(fields.has('stream_id') && { stream_id: fields.text('stream_id') }),
    ...(fields.has('seq') && { seq: fields.count('seq') }),
    // A server that is newer than this client may know more codes: its sentence is worth more than a complaint.
    code: isErrorCode(code) ? code : 'internal',
    message: fields.text('message'),
    retryable: fields.flag('retryable'),
    ...(fields.has('retry_after') && { retry_after: fields.count('retry_after') }),
  }
}

class Fields {
  readonly #values: Record<string, unknown>

  constructor(values: Record<string, unknown>) {
    this.#values = values
  }

  has(name: string): boolean {
    return this.#get(name) !== undefined
  }

  text(name: string): string {
    const value = this.#get(name)
    if (typeof value === 'string') return value
    throw new ContractError(`\`${name}\` is not a string.`)
  }

  count(name: string): number {
    const value = this.#get(name)
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    throw new ContractError(`\`${name}\` is not a whole number from 0.`)
  }

  flag(name: string): boolean {
    const value = this.#get(name)
    if (typeof value === 'boolean') return value
    throw new ContractError(`\`${name}\` is neither true nor false.`)
  }

  object(name: string): Fields {
    const value = this.#get(name)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return new Fields(value as Record<string, unknown>)
    }
    throw new ContractError(`\`${name}\` is not an object.`)
  }

  #get(name: string): unknown {
    return this.#values[name] ?? undefined
  }
}
