import type { FailureCode } from '../contract/error-code'
import type { ErrorEvent, StreamEvent } from '../contract/event'
import type { Settings } from '../settings'
import { appsync } from './appsync'
import { functionUrl } from './function-url'
import { websocketApi } from './websocket-api'

export const ARCHITECTURES = ['function-url', 'websocket-api', 'appsync'] as const
export type Architecture = (typeof ARCHITECTURES)[number]

export interface Message {
  role: 'user' | 'assistant'
  content: string
}

export interface ChatRequest {
  /** A UUID, a new one for every request. */
  streamId: string
  messages: Message[]
  system?: string
  maxTokens?: number
}

/** What a transport needs of a sign-in. */
export interface Session {
  accessToken: string
  /** The token's `sub`. */
  owner?: string
}

export interface Received {
  /** `performance.now()` in the callback that brought the bytes. */
  at: number
  /** On the wire: the WebSocket message, or the server-sent event with its field names. */
  bytes: number
  event: StreamEvent
}

export interface Marks {
  /** The transport begins now: where it runs elsewhere, after the time that handing the request over took. */
  began?: (at: number) => void
  /**
   * The connection stands and the request can go out: for function-url when the browser sent it, for websocket-api
   * when the socket is open, for appsync at `start_ack`. May be told twice: function-url's browser knows better
   * afterwards. The earlier time counts. Not told where a refusal leaves it unknown.
   */
  connected?: (at: number) => void
  /** The connection was lost, or an event: the answer is being taken up again. */
  dropped?: (at: number) => void
  /** The answer goes on behind the event of that number, or from its beginning. */
  resumed?: (at: number, after: number | undefined) => void
}

export interface Transport {
  /**
   * Streams one answer. The iteration ends after the terminal event (`done` or `error`), or quietly when `signal` is
   * aborted; it throws a `TransportError` when there is no terminal event to be had. Leaving it closes the connection.
   */
  stream(request: ChatRequest, session: Session, signal: AbortSignal, marks?: Marks): AsyncIterable<Received>
  /**
   * Takes up an answer that was asked for before, behind the event `after` or from its beginning, out of the server's
   * log. The same events under the same numbers, and otherwise as `stream`. `not_found` where there is no log.
   */
  resume(
    streamId: string,
    after: number | undefined,
    session: Session,
    signal: AbortSignal,
    marks?: Marks,
  ): AsyncIterable<Received>
  /**
   * Tells the server to stop the answer, wherever it is being made. The answer itself then ends with `done`, whose
   * `stop_reason` is `cancelled`. Rejects with a `TransportError`: `not_found` where there is no such answer, yet or any
   * more, or no log; of the phase `connect` where it has not been asked for, so that nothing has to be stopped.
   */
  cancel(streamId: string, session: Session): Promise<void>
}

export interface TransportFailure {
  phase: Phase
  code: FailureCode
  message: string
  retryable: boolean
  /** The connection was refused and nobody says why: it may be the sign-in as well as the address. */
  unexplained?: boolean | undefined
  /** Events are missing in the middle: both sides may keep to the contract. */
  lost?: boolean
  /** In whole seconds: asking earlier will be refused again. */
  retryAfter?: number | undefined
  /** The connection failed, but nobody knows whether that was before the request had arrived. */
  perhapsSent?: boolean | undefined
}

/** How far the request had come: no connection, not accepted by the model, or in the middle of the answer. */
export type Phase = 'connect' | 'request' | 'stream'

export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly phase: Phase
  readonly code: FailureCode
  readonly retryable: boolean
  readonly unexplained: boolean
  readonly retryAfter: number | undefined
  readonly perhapsSent: boolean

  constructor(what: TransportFailure & { cause?: unknown }) {
    super(what.message, { cause: what.cause })
    this.phase = what.phase
    this.code = what.code
    this.retryable = what.retryable
    this.unexplained = what.unexplained ?? false
    this.retryAfter = what.retryAfter
    this.perhapsSent = what.perhapsSent ?? false
  }

  /** What the server has refused before there was a stream. */
  static refusal({ code, message, retryable, retry_after: retryAfter }: ErrorEvent): TransportError {
    return new TransportError({ phase: 'request', code, message, retryable, retryAfter })
  }
}

/** The transports that the settings have an address for, each with a connection of its own for every answer. */
export function transports(settings: Settings): Partial<Record<Architecture, Transport>> {
  return {
    ...(settings.functionUrl && { 'function-url': functionUrl(settings.functionUrl) }),
    ...(settings.websocketUrl && { 'websocket-api': websocketApi(settings.websocketUrl) }),
    ...(settings.graphqlUrl &&
      settings.graphqlRealtimeUrl && { appsync: appsync(settings.graphqlUrl, settings.graphqlRealtimeUrl) }),
  }
}
