import { ContractError, decodeEvent } from '../contract/event'
import type { Arrivals } from './arrivals'
import { bytesOf } from './request-body'
import { type OpenSocket, openSocket } from './web-socket'

/** Carries the events. The token rides along as a second one, so that it is in no URL and in no access log. */
const SUBPROTOCOL = 'llm-stream.v1'

const REFUSED =
  'The WebSocket was refused or could not be reached; a browser is not told which. ' +
  'The sign-in may have expired, or the address may be wrong.'

/** One connection of websocket-api; several streams may run on it, told apart by their ids. */
export class WebSocketConnection {
  readonly #streams = new Map<string, Arrivals>()
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

  /** Sends a message of the action `stream` and tells `arrivals` about the stream's events. */
  start(streamId: string, message: string, arrivals: Arrivals) {
    if (!this.isOpen) {
      arrivals.close('The WebSocket was closed before the request could be sent.')
      return
    }
    this.#streams.set(streamId, arrivals)
    this.#socket?.send(message)
  }

  /** Hears no more of a stream. The server goes on with it until the connection is closed. */
  leave(streamId: string) {
    this.#streams.delete(streamId)
  }

  close() {
    this.#closed = true
    this.#socket?.close()
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
    if (!isTyped(value)) return
    const arrivals = this.#ownerOf(value)
    if (!arrivals) return
    try {
      arrivals.push({ at, bytes: bytesOf(text), event: decodeEvent(value) })
    } catch (error) {
      arrivals.fail(error)
    }
  }

  #ownerOf({ type, stream_id }: { type: string; stream_id?: unknown }): Arrivals | undefined {
    if (typeof stream_id === 'string') return this.#streams.get(stream_id)
    // A refusal that names no request is about one that has not begun; they are answered in turn.
    return type === 'error' ? [...this.#streams.values()].find(({ started }) => !started) : undefined
  }

  #end(code: number) {
    this.#closed = true
    const message = `The WebSocket was closed before the answer had ended (code ${code}).`
    for (const arrivals of this.#streams.values()) arrivals.close(message)
    this.#streams.clear()
  }
}

function isTyped(value: unknown): value is { type: string; stream_id?: unknown } {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
