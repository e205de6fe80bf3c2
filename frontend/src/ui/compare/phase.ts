import type { Lane } from '../../lane/reducer'

/** The phases as words, for the eye and for the live region alike. */
export const PHASES: Record<Lane['phase'], string> = {
  idle: 'ready',
  connecting: 'connecting',
  accepted: 'accepted',
  streaming: 'streaming',
  done: 'done',
  failed: 'failed',
  stopped: 'stopped',
}

export const RESUMING = 'resuming'

/** The phase, or what is being done about it. */
export function phaseName(lane: Lane): string {
  if (!active(lane)) return PHASES[lane.phase]
  if (lane.stopping) return 'stopping'
  return lane.droppedAt === undefined ? PHASES[lane.phase] : RESUMING
}

/** As far as it has come while nothing can be read yet. */
export function waitsFor(lane: Lane): string {
  if (lane.phase === 'accepted') return 'The model has accepted the request. No token yet.'
  return lane.connectedAt === undefined ? 'Connecting.' : 'Connected. Waiting for the model to accept the request.'
}

export const active = ({ phase }: Lane) => phase === 'connecting' || phase === 'accepted' || phase === 'streaming'

/** When the last thing happened in a lane, counted from its beginning. */
export function elapsed(lane: Lane): number {
  if (lane.startedAt === undefined || lane.foundAgain) return 0
  const last = lane.endedAt ?? lane.arrivals.at(-1)?.at ?? lane.acceptedAt ?? lane.connectedAt ?? lane.startedAt
  return last - lane.startedAt
}
