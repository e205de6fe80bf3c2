import { CHARACTERS_PER_TOKEN, type Measurement } from '../../measure/measurement'
import { bytes, count, dollars, milliseconds, rate, seconds, UNKNOWN } from '../format'

interface Props {
  measurement: Measurement | undefined
  /** US dollars for 1,000 answers like this one, without the model. */
  costPerThousand: number | undefined
}

/** The three that most people choose by. */
export function KeyNumbers({ measurement: m }: Pick<Props, 'measurement'>) {
  return (
    <dl className="grid grid-cols-3 gap-3">
      <Key label="first token" value={milliseconds(m?.firstTokenMs)} />
      <Key
        label={m?.estimatedTokens && m.tokensPerSecond !== undefined ? 'tokens/s, est.' : 'tokens/s'}
        value={rate(m?.tokensPerSecond)}
      />
      <Key label="total" value={seconds(m?.totalMs)} />
    </dl>
  )
}

function Key({ label, value }: { label: string; value: string }) {
  return (
    <div>
      <dt className="label">{label}</dt>
      <dd className={`mt-0.5 text-xl font-semibold tracking-tight ${value === UNKNOWN ? 'text-edge' : ''}`}>{value}</dd>
    </div>
  )
}

export function MoreNumbers({ measurement: m, costPerThousand }: Props) {
  const oddities = [
    [m?.gaps, 'missing'],
    [m?.duplicates, 'twice'],
  ] as const
  const repaired = oddities.flatMap(([times, what]) => (times ? `${count(times)} ${what}` : []))
  return (
    <div>
      <dl className="grid auto-cols-fr gap-x-6 gap-y-1 @min-[24rem]:grid-flow-col @min-[24rem]:grid-rows-4">
        <Row label="connected" value={milliseconds(m?.connectMs)} />
        <Row label="accepted" value={milliseconds(m?.acceptedMs)} />
        <Row label="between tokens, p50" value={milliseconds(m?.interTokenP50Ms)} />
        <Row label="between tokens, p95" value={milliseconds(m?.interTokenP95Ms)} />
        <Row label="messages" value={count(m?.messages)} />
        <Row label="received" value={bytes(m?.bytes)} />
        {m?.estimatedTokens ? (
          <Row label="output tokens, est." value={count(m.outputTokens)} title={ESTIMATE} />
        ) : (
          <Row label="output tokens" value={count(m?.outputTokens)} />
        )}
        <Row label="per 1,000 answers" value={dollars(costPerThousand)} />
      </dl>
      {repaired.length > 0 && <p className="mt-1 text-xs text-bad">{repaired.join(', ')}</p>}
    </div>
  )
}

const ESTIMATE = `One for every ${CHARACTERS_PER_TOKEN} characters: the server has not said how many there were.`

function Row({ label, value, title }: { label: string; value: string; title?: string }) {
  return (
    <div title={title} className="flex items-baseline justify-between gap-2">
      <dt className="label whitespace-nowrap">{label}</dt>
      <dd className={`whitespace-nowrap ${value === UNKNOWN ? 'text-edge' : ''}`}>{value}</dd>
    </div>
  )
}
