import type { Settings } from '../settings'
import type { Architecture, ChatRequest, Received, Session, Transport, TransportFailure } from '../transports/transport'

/** The transports of the worker: for a comparison, and for a conversation, whose answers may share a connection. */
export interface Served {
  comparing: Partial<Record<Architecture, Transport>>
  conversing: Partial<Record<Architecture, Transport>>
  /** Closes what is kept open between answers. */
  release(): void
}
export type Purpose = 'comparing' | 'conversing'

/** What is asked of a transport. Ends with `ended` or `failed` under the same id. */
export type Asked =
  | { type: 'run'; request: ChatRequest }
  | { type: 'resume'; streamId: string; after: number | undefined }
  | { type: 'cancel'; streamId: string }

interface Addressed {
  id: number
  purpose: Purpose
  architecture: Architecture
  session: Session
}

export type ToWorker =
  | { type: 'open'; settings: Settings }
  | (Asked & Addressed)
  | { type: 'stop'; id: number }
  | { type: 'release' }

/** Times are milliseconds since the Unix epoch: the clocks of a page and of its worker begin at different moments. */
export type FromWorker =
  | { type: 'began'; id: number; at: number }
  | { type: 'connected'; id: number; at: number }
  | { type: 'resumed'; id: number; at: number; after: number | undefined }
  | { type: 'received'; id: number; received: Received }
  | { type: 'ended'; id: number }
  | ({ type: 'failed'; id: number } & TransportFailure)

/** A worker, seen from outside or inside. */
export interface Port<Sent, Heard> {
  postMessage(message: Sent): void
  addEventListener(type: 'message', listener: (event: { data: Heard }) => void): void
}
