import { useState } from 'react'
import { PRICE_TABLE, type Prices } from '../../measure/prices'

const FIELDS: { name: keyof Prices; label: string; unit: string; step: string }[] = [
  { name: 'lambdaRequests', label: 'Lambda requests', unit: '$ per million', step: '0.01' },
  { name: 'lambdaGbSecond', label: 'Lambda time', unit: '$ per GB-second', step: '0.0000000001' },
  { name: 'lambdaMemoryMb', label: 'Lambda memory', unit: 'MB', step: '1' },
  { name: 'websocketMessages', label: 'WebSocket messages, 32 KB', unit: '$ per million', step: '0.01' },
  { name: 'websocketConnectionMinutes', label: 'WebSocket minutes', unit: '$ per million', step: '0.01' },
  { name: 'appsyncOperations', label: 'AppSync operations', unit: '$ per million', step: '0.01' },
  { name: 'appsyncUpdates', label: 'AppSync updates, 5 KB', unit: '$ per million', step: '0.01' },
  { name: 'appsyncConnectionMinutes', label: 'AppSync minutes', unit: '$ per million', step: '0.01' },
  { name: 'sqsRequests', label: 'SQS requests', unit: '$ per million', step: '0.01' },
  { name: 'dynamodbWrites', label: 'DynamoDB writes, 1 KB', unit: '$ per million, 0: no log', step: '0.001' },
  { name: 'dynamodbReads', label: 'DynamoDB reads, 4 KB', unit: '$ per million, 0: no log', step: '0.001' },
]

interface Props {
  prices: Prices
  onChange: (prices: Prices) => void
}

export function PriceEditor({ prices, onChange }: Props) {
  const [resets, setResets] = useState(0)
  const edited = FIELDS.some(({ name }) => prices[name] !== PRICE_TABLE.prices[name])
  return (
    <details className="card">
      <summary className="px-4 py-3">
        <span className="font-semibold">Prices</span>{' '}
        <span className="text-muted">
          {edited ? 'yours' : `${PRICE_TABLE.region}, ${PRICE_TABLE.month}`}, without free tiers and without the model
        </span>
      </summary>
      <div className="border-t border-line p-4">
        <div className="grid gap-x-6 gap-y-3 sm:grid-cols-2 lg:grid-cols-3">
          {FIELDS.map(({ name, label, unit, step }) => (
            <label key={name} className="flex items-center justify-between gap-3">
              <span>
                {label} <span className="label block">{unit}</span>
              </span>
              <input
                type="number"
                className="field w-36 py-1 text-right"
                min={0}
                step={step}
                // A list price is never in the shape 1.33e-5, and should not be shown so.
                defaultValue={plain(prices[name])}
                // Only then is it another field: whoever types in it must not lose it.
                key={`${name} ${resets}`}
                onChange={event => {
                  const value = event.target.valueAsNumber
                  if (value >= 0) onChange({ ...prices, [name]: value })
                }}
              />
            </label>
          ))}
        </div>
        <div className="mt-4 flex flex-wrap items-center gap-x-4 gap-y-2">
          <button
            type="button"
            className="button"
            disabled={!edited}
            onClick={() => {
              setResets(resets + 1)
              onChange(PRICE_TABLE.prices)
            }}
          >
            Back to list prices
          </button>
          <p className="label">
            From{' '}
            {PRICE_TABLE.sources.map((source, index) => (
              <span key={source}>
                {index > 0 && ', '}
                <a className="underline" href={source} target="_blank" rel="noreferrer">
                  {new URL(source).pathname.split('/')[1]}
                </a>
              </span>
            ))}
            . Kept in this browser.
          </p>
        </div>
      </div>
    </details>
  )
}

function plain(value: number): string {
  return value.toFixed(12).replace(/\.?0+$/, '')
}
