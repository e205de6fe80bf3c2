/** websocket-api as a conversation needs it: answers share a connection. */

import type { Patience } from './arrivals'
import type { Transport } from './transport'
import { type Connections, overConnections } from './websocket-api'
import { WebSocketConnection } from './websocket-connection'

/** API Gateway ends every connection after 2 hours: one that might not last for an answer is not used again. */
const MAX_AGE_MS = 110 * 60_000

/** API Gateway closes a connection after 10 minutes without a message. */
export const PING_MS = 9 * 60_000

/** Who has asked nothing for so long is not in a conversation any more. */
export const CONVERSATION_MS = 60 * 60_000

export interface KeptTransport {
  transport: Transport
  close(): void
}

interface Kept {
  opening: Promise<WebSocketConnection>
  connection: WebSocketConnection | undefined
  accessToken: string
  at: number
}

/**
 * Opens at the first answer. Opens anew when the connection was closed, has become old, or belongs to another token:
 * the server would refuse its next stream once that one has expired.
 */
export function keptWebsocketApi(url: string, patience?: Patience): KeptTransport {
  let kept: Kept | undefined
  let usedAt = 0
  let pinging: ReturnType<typeof setInterval> | undefined

  const forget = () => {
    clearInterval(pinging)
    // Answers that still run keep their connection, and the last of them closes it.
    const former = kept?.connection
    kept = undefined
    if (former?.streams === 0) former.close()
  }
  const ping = () => {
    if (kept?.connection?.isOpen && performance.now() - usedAt < CONVERSATION_MS) kept.connection.ping()
    else clearInterval(pinging)
  }
  const connect = async (accessToken: string): Promise<WebSocketConnection> => {
    while (kept && kept.accessToken === accessToken && performance.now() - kept.at < MAX_AGE_MS) {
      const current = kept
      const connection = await current.opening
      if (connection.isOpen) return connection
      if (kept === current) kept = undefined
    }
    forget()
    // Whoever stops waiting must not stop the others, so no signal of theirs goes along.
    const opening = WebSocketConnection.open(url, accessToken, new AbortController().signal)
    const current: Kept = { opening, connection: undefined, accessToken, at: performance.now() }
    kept = current
    try {
      current.connection = await opening
    } catch (failure) {
      if (kept === current) kept = undefined
      throw failure
    }
    return current.connection
  }

  const connections: Connections = {
    async take(accessToken) {
      const connection = await connect(accessToken)
      usedAt = performance.now()
      clearInterval(pinging)
      pinging = setInterval(ping, PING_MS)
      return connection
    },
    giveBack(connection, clean) {
      // Without a log only a closed connection stops the model: worth it where nobody else uses it.
      const reusable = kept?.connection === connection && clean
      if (connection.streams === 0 && !reusable) connection.close()
    },
  }
  return { transport: overConnections(url, connections, patience), close: forget }
}
