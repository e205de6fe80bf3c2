import { ContractError, decodeEvent, isTerminal, type StreamEvent } from '../contract/event'
import type { Arrivals } from './arrivals'
import { bytesOf } from './request-body'
import { TransportError } from './transport'
import { type OpenSocket, openSocket } from './web-socket'

/** Carries the events. The token rides along as a second one, so that it is in no URL and in no access log. */
const SUBPROTOCOL = 'llm-stream.v1'

const REFUSED =
  'The WebSocket was refused or could not be reached; a browser is not told which. ' +
  'The sign-in may have expired, or the address may be wrong.'

/** What `cancel` can be refused with. Everything else is about the answer. */
const REFUSALS: readonly string[] = ['not_found', 'invalid_request', 'unauthorized', 'internal']

interface Cancelling {
  resolve(): void
  reject(failure: TransportError): void
}

/** One connection of websocket-api; several streams may run on it, told apart by their ids. */
export class WebSocketConnection {
  readonly #streams = new Map<string, Arrivals>()
  readonly #cancelling = new Map<string, Cancelling>()
  #socket: OpenSocket | undefined
  #closed = false

  private constructor() {}

  static async open(url: string, accessToken: string, signal: AbortSignal): Promise<WebSocketConnection> {
    const connection = new WebSocketConnection()
    const frames = {
      message: (text: string, at: number) => connection.#receive(text, at),
      closed: (code: number) => connection.#end(code),
    }
    connection.#socket = await openSocket(url, [SUBPROTOCOL, `bearer.${accessToken}`], frames, signal, REFUSED)
    return connection
  }

  get isOpen(): boolean {
    return !this.#closed && this.#socket?.isOpen === true
  }

  /** How many answers are under way. */
  get streams(): number {
    return this.#streams.size
  }

  /** Sends a message of the action `stream` or `resume` and tells `arrivals` about the stream's events. */
  start(streamId: string, message: string, arrivals: Arrivals) {
    if (!this.isOpen) {
      arrivals.close('The WebSocket was closed before the request could be sent.')
      return
    }
    this.#streams.set(streamId, arrivals)
    this.#socket?.send(message)
  }

  /** Resolves when the stream ends here. Until then only a refusal is told. */
  cancel(streamId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#cancelling.set(streamId, { resolve, reject })
      this.#socket?.send(JSON.stringify({ action: 'cancel', stream_id: streamId }))
    })
  }

  /** Keeps the connection open: its answer is of no stream. */
  ping() {
    this.#socket?.send('{"action":"ping"}')
  }

  /** Hears no more of a stream. The server goes on with it, for a while after the connection is closed, too. */
  leave(streamId: string, arrivals: Arrivals) {
    // It may have been taken up again meanwhile, on this connection.
    if (this.#streams.get(streamId) === arrivals) this.#streams.delete(streamId)
  }

  close() {
    this.#closed = true
    this.#socket?.close()
    this.#giveUpCancelling('The WebSocket was closed.')
  }

  #receive(text: string, at: number) {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      for (const arrivals of this.#streams.values()) arrivals.fail(new ContractError('A message is not JSON.'))
      return
    }
    // API Gateway's own messages have no type, such as `{"message": "Endpoint request timed out", ...}`.
    if (!isTyped(value) || this.#refusesCancel(value)) return
    const arrivals = this.#ownerOf(value)
    if (!arrivals) return
    try {
      const event = decodeEvent(value)
      arrivals.push({ at, bytes: bytesOf(text), event })
      if (isTerminal(event)) this.#settle(event)
    } catch (error) {
      arrivals.fail(error)
    }
  }

  #refusesCancel(value: Typed): boolean {
    if (value.type !== 'error' || typeof value.seq === 'number' || !REFUSALS.includes(String(value.code))) return false
    // One that names no stream is about a message that was not understood.
    const [streamId] = typeof value.stream_id === 'string' ? [value.stream_id] : this.#cancelling.keys()
    const cancelling = this.#cancelling.get(streamId ?? '')
    if (!cancelling) return false
    this.#cancelling.delete(streamId ?? '')
    try {
      const event = decodeEvent(value)
      if (event.type === 'error') cancelling.reject(TransportError.refusal(event))
    } catch {
      cancelling.reject(broken('The server has refused to stop the answer.'))
    }
    return true
  }

  #settle({ stream_id: streamId = '' }: StreamEvent) {
    this.#cancelling.get(streamId)?.resolve()
    this.#cancelling.delete(streamId)
  }

  #ownerOf({ type, stream_id }: Typed): Arrivals | undefined {
    if (typeof stream_id === 'string') return this.#streams.get(stream_id)
    // A refusal that names no request is about one that has not begun; they are answered in turn.
    return type === 'error' ? [...this.#streams.values()].find(({ started }) => !started) : undefined
  }

  #end(code: number) {
    this.#closed = true
    const message = `The WebSocket was closed before the answer had ended (code ${code}).`
    for (const arrivals of this.#streams.values()) arrivals.close(message)
    this.#streams.clear()
    this.#giveUpCancelling(message)
  }

  #giveUpCancelling(message: string) {
    for (const { reject } of this.#cancelling.values()) reject(broken(message))
    this.#cancelling.clear()
  }
}

type Typed = { type: string; stream_id?: unknown; seq?: unknown; code?: unknown }

function isTyped(value: unknown): value is Typed {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function broken(message: string): TransportError {
  return new TransportError({ phase: 'request', code: 'network', message, retryable: true })
}
