import { type Phase, TransportError } from './transport'

/** How long a WebSocket may take to open. Browsers themselves wait for minutes. */
export const OPENING_MS = 15_000

export interface Frames {
  /** A text frame, and when the browser's callback began. */
  message(text: string, at: number): void
  /** Called once, unless the socket was closed from here. */
  closed(code: number): void
}

/** An open WebSocket that hears of nothing any more once it was closed from here. */
export interface OpenSocket {
  readonly isOpen: boolean
  send(text: string): void
  close(): void
}

/**
 * Opens a WebSocket that must speak `subprotocols[0]`. Rejects with a `TransportError` of phase `connect`, and when
 * `signal` is aborted. A browser tells nothing about a refusal but that there is no connection: `refused` is the
 * sentence for it.
 */
export async function openSocket(
  url: string,
  subprotocols: [string, ...string[]],
  frames: Frames,
  signal: AbortSignal,
  refused: string,
): Promise<OpenSocket> {
  signal.throwIfAborted()
  const socket = new WebSocket(url, subprotocols)
  const forget = () => {
    socket.onopen = socket.onmessage = socket.onclose = null
  }
  const close = () => {
    forget()
    socket.close()
  }
  // Always followed by `close`, which says as much.
  socket.onerror = () => {}
  socket.onmessage = ({ data }) => {
    const at = performance.now()
    if (typeof data === 'string') frames.message(data, at)
  }
  try {
    await opened(socket, signal, refused)
    if (socket.protocol !== subprotocols[0]) {
      throw refusal(`The server did not choose the subprotocol ${subprotocols[0]}.`, 'protocol')
    }
  } catch (failure) {
    close()
    throw failure
  }
  socket.onclose = ({ code }) => {
    forget()
    frames.closed(code)
  }
  return {
    get isOpen() {
      return socket.readyState === WebSocket.OPEN
    },
    send: text => socket.send(text),
    close,
  }
}

function opened(socket: WebSocket, signal: AbortSignal, refused: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  let onAbort = () => {}
  const opening = new Promise<void>((resolve, reject) => {
    timer = setTimeout(() => reject(refusal('The connection was not made in time.')), OPENING_MS)
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort)
    socket.onopen = () => resolve()
    socket.onclose = () => reject(refusal(refused, 'network', true))
  })
  return opening.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  })
}

function refusal(message: string, code: 'network' | 'protocol' = 'network', unexplained = false): TransportError {
  const phase: Phase = 'connect'
  return new TransportError({ phase, code, message, retryable: code === 'network', unexplained })
}
