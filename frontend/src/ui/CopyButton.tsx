import { useEffect, useState } from 'react'
import { announce } from './announcer'

interface Props {
  label: string
  /** Made when it is asked for: a link or a long text is not kept ready. */
  text: () => string | Promise<string>
  disabled?: boolean
  className?: string
}

export function CopyButton({ label, text, disabled, className = 'button-quiet' }: Props) {
  const [result, setResult] = useState<'Copied' | 'Not copied'>()
  useEffect(() => {
    if (!result) return
    const timer = setTimeout(() => setResult(undefined), 1500)
    return () => clearTimeout(timer)
  }, [result])

  const copy = async () => {
    // Browsers refuse where the page has no focus or no permission; there is nothing to do but to say so.
    const outcome = await Promise.resolve(text())
      .then(value => navigator.clipboard.writeText(value))
      .then(
        () => 'Copied' as const,
        () => 'Not copied' as const,
      )
    setResult(outcome)
    announce(outcome)
  }

  return (
    <button type="button" aria-label={label} className={className} disabled={disabled} onClick={() => void copy()}>
      {/* Both words take their place, so that the button does not change its width. */}
      <span className="grid">
        <span className={`col-start-1 row-start-1 ${result ? 'invisible' : ''}`}>{label}</span>
        <span className={`col-start-1 row-start-1 ${result ? '' : 'invisible'}`} aria-hidden="true">
          {result ?? 'Copied'}
        </span>
      </span>
    </button>
  )
}
