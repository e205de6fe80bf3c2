import { useEffect, useRef } from 'react'
import type { Lane } from '../lane/reducer'
import { announce } from './announcer'
import { PHASES } from './compare/phase'

/** Says how an answer goes on, but not what had happened before its view was opened. */
export function useSpokenPhase(name: string, phase: Lane['phase']) {
  const said = useRef(phase)
  useEffect(() => {
    if (said.current === phase) return
    said.current = phase
    if (phase === 'streaming' || phase === 'done' || phase === 'failed' || phase === 'stopped') {
      announce(`${name}: ${PHASES[phase]}`)
    }
  }, [name, phase])
}
