import type { Lane } from '../lane/reducer'
import { CHARACTERS_PER_TOKEN, measure } from '../measure/measurement'
import { count } from './format'

const TAKEN_UP =
  'The connection was lost, or an event, and the answer was taken up again out of the log. The time that this took is in the numbers, and so is that the log hands on in portions.'
const FROM_THE_LOG = 'Read out of the log after a reload of the page: there are no times to compare.'

/** That an answer has not come in one piece: nothing to worry about, but no secret either. */
export function LaneMarks({ lane }: { lane: Lane }) {
  const { resumptions, foundAgain } = lane
  const last = resumptions.at(-1)
  return (
    <>
      {foundAgain && <span title={FROM_THE_LOG}>found again after a reload</span>}
      {last && (
        <span title={TAKEN_UP}>
          {`resumed ${resumptions.length}×${resumptions.length > 1 ? ', last' : ''} ${behind(last.after)}`}
        </span>
      )}
    </>
  )
}

export function behind(after: number | undefined): string {
  return after === undefined ? 'from the beginning' : `after event ${after}`
}

/** How an answer came to be shorter than the model would have made it. */
export function CutShort({ lane }: { lane: Lane }) {
  if (lane.stopReason === 'max_tokens') return <p className="label mt-2">Cut off at the limit of tokens.</p>
  if (lane.phase !== 'stopped') return null
  const { outputTokens } = measure(lane)
  const tokens = `${count(outputTokens)} ${outputTokens === 1 ? 'token' : 'tokens'}`
  return (
    <p className="label mt-2">
      {lane.stopReason === 'cancelled'
        ? 'The server has stopped the model, which does not say then what it bills: '
        : 'The connection was closed, and the model may have gone on: '}
      {outputTokens === 0
        ? 'no text had come.'
        : `about ${tokens} had come, an estimate of one for every ${CHARACTERS_PER_TOKEN} characters.`}
    </p>
  )
}
