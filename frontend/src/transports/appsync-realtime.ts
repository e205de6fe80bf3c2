import { TransportError } from './transport'
import { type OpenSocket, openSocket } from './web-socket'

const SUBPROTOCOL = 'graphql-ws'

/** How long AppSync may take to acknowledge something. */
const ACKNOWLEDGEMENT_MS = 15_000

const REFUSED =
  "AppSync's realtime endpoint refused the WebSocket or could not be reached; a browser is not told which. " +
  'The sign-in may have expired, or the address may be wrong.'

export interface Subscriber {
  /** `payload` is a GraphQL answer. */
  data(payload: unknown, bytes: number, at: number): void
  /** The subscription is over, or the connection. */
  ended(failure: TransportError): void
}

interface Frame {
  type: string
  id?: string
  payload?: unknown
}

/**
 * AppSync's realtime protocol over one WebSocket, for one subscription.
 * https://docs.aws.amazon.com/appsync/latest/devguide/real-time-websocket-client.html
 */
export class AppSyncRealtime {
  readonly #authorization: { Authorization: string; host: string }
  readonly #id = crypto.randomUUID()
  readonly #subscriber: Subscriber
  #socket: OpenSocket | undefined
  #expected: { type: string; seen: (frame: Frame) => void; failed: (failure: TransportError) => void } | undefined
  #keepAlive: ReturnType<typeof setTimeout> | undefined
  #keepAliveMs = 300_000

  private constructor(graphqlUrl: string, accessToken: string, subscriber: Subscriber) {
    this.#authorization = { Authorization: accessToken, host: new URL(graphqlUrl).host }
    this.#subscriber = subscriber
  }

  /** Returns after `connection_ack`. */
  static async open(
    urls: { graphql: string; realtime: string },
    accessToken: string,
    signal: AbortSignal,
    subscriber: Subscriber,
  ): Promise<AppSyncRealtime> {
    const realtime = new AppSyncRealtime(urls.graphql, accessToken, subscriber)
    const header = base64url(JSON.stringify(realtime.#authorization))
    const frames = {
      message: (text: string, at: number) => realtime.#receive(text, at),
      closed: (code: number) => realtime.#fail(`AppSync closed the WebSocket (code ${code}).`),
    }
    realtime.#socket = await openSocket(urls.realtime, [SUBPROTOCOL, `header-${header}`], frames, signal, REFUSED)
    try {
      const { payload } = await realtime.#ask({ type: 'connection_init' }, 'connection_ack', signal)
      const timeout = field(payload, 'connectionTimeoutMs')
      if (typeof timeout === 'number' && timeout > 0) realtime.#keepAliveMs = timeout
      return realtime
    } catch (failure) {
      realtime.close()
      throw failure
    }
  }

  /** Returns after `start_ack`: what is published before that is lost. */
  async subscribe(query: string, variables: unknown, signal: AbortSignal) {
    // `data` is JSON in a string: AppSync passes it on as it is.
    const data = JSON.stringify({ query, variables })
    const payload = { data, extensions: { authorization: this.#authorization } }
    await this.#ask({ type: 'start', id: this.#id, payload }, 'start_ack', signal)
  }

  /** Unsubscribes and closes the connection. */
  close() {
    clearTimeout(this.#keepAlive)
    if (this.#socket?.isOpen) this.#socket.send(JSON.stringify({ type: 'stop', id: this.#id }))
    this.#socket?.close()
  }

  async #ask(frame: Frame, answer: string, signal: AbortSignal): Promise<Frame> {
    let timer: ReturnType<typeof setTimeout> | undefined
    let onAbort = () => {}
    const answered = new Promise<Frame>((resolve, reject) => {
      this.#expected = { type: answer, seen: resolve, failed: reject }
      timer = setTimeout(() => reject(failure(`AppSync sent no ${answer} in time.`)), ACKNOWLEDGEMENT_MS)
      onAbort = () => reject(signal.reason)
      signal.addEventListener('abort', onAbort)
      if (signal.aborted) onAbort()
      else this.#socket?.send(JSON.stringify(frame))
    })
    return answered.finally(() => {
      this.#expected = undefined
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    })
  }

  #receive(text: string, at: number) {
    clearTimeout(this.#keepAlive)
    this.#keepAlive = setTimeout(() => this.#fail('AppSync has sent no sign of life.'), this.#keepAliveMs)
    let frame: Frame
    try {
      frame = JSON.parse(text)
    } catch {
      this.#fail('AppSync sent a message that is not JSON.')
      return
    }
    if (frame.type === 'data' && frame.id === this.#id) {
      this.#subscriber.data(frame.payload, new TextEncoder().encode(text).length, at)
    } else if (frame.type === this.#expected?.type && (frame.id === undefined || frame.id === this.#id)) {
      this.#expected.seen(frame)
    } else if (frame.type === 'connection_error' || frame.type === 'error') {
      if (frame.id === undefined || frame.id === this.#id) this.#end(refusal(frame.payload))
    } else if (frame.type === 'complete' && frame.id === this.#id) {
      this.#fail('AppSync ended the subscription before the answer had ended.')
    }
    // What is left is `ka`, and what a newer protocol may have.
  }

  #fail(message: string) {
    this.#end(failure(message))
  }

  #end(error: TransportError) {
    clearTimeout(this.#keepAlive)
    if (this.#expected) this.#expected.failed(error)
    else this.#subscriber.ended(error)
  }
}

/** `{"errors": [{"errorType": ..., "message": ..., "errorCode": an HTTP status}]}` */
function refusal(payload: unknown): TransportError {
  const error = field(field(payload, 'errors'), '0')
  const [type, message, status] = [field(error, 'errorType'), field(error, 'message'), field(error, 'errorCode')]
  const unauthorized = status === 401 || status === 403 || (typeof type === 'string' && type.startsWith('Unauthorized'))
  const said = [type, message].filter(part => typeof part === 'string').join(': ')
  return new TransportError({
    phase: 'connect',
    code: unauthorized ? 'unauthorized' : 'internal',
    message: `AppSync refused the subscription${said && ` (${said})`}.`,
    retryable: !unauthorized,
  })
}

function failure(message: string): TransportError {
  return new TransportError({ phase: 'connect', code: 'network', message, retryable: true })
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

/** Without padding: a subprotocol must not hold `=`. */
function base64url(text: string): string {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text))
  return btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
