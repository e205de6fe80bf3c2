import { useEffect, useRef } from 'react'
import type { Lane } from '../lane/reducer'
import { announce } from './announcer'
import { PHASES, phaseName, RESUMING } from './compare/phase'

const SPOKEN: readonly string[] = [PHASES.streaming, RESUMING, PHASES.done, PHASES.failed, PHASES.stopped]

/** Says how an answer goes on, but not what had happened before its view was opened. */
export function useSpokenPhase(name: string, lane: Lane) {
  const words = phaseName(lane)
  const said = useRef(words)
  useEffect(() => {
    if (said.current === words) return
    said.current = words
    if (SPOKEN.includes(words)) announce(`${name}: ${words}`)
  }, [name, words])
}
