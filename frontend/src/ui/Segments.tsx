import { useId } from 'react'

interface Props<Value extends string | number> {
  label: string
  options: readonly { value: Value; label: string }[]
  value: Value
  onChange: (value: Value) => void
  disabled?: boolean
}

/** One of a few: radio buttons that look like one control. */
export function Segments<Value extends string | number>({ label, options, value, onChange, disabled }: Props<Value>) {
  const name = useId()
  return (
    <fieldset disabled={disabled} className="flex h-8 shrink-0 rounded-md border border-line bg-sunken p-0.5">
      <legend className="sr-only">{label}</legend>
      {options.map(option => (
        <label
          key={option.value}
          className="flex cursor-pointer items-center rounded-[5px] px-2 text-[0.8125rem] text-muted sm:px-2.5 sm:text-sm has-checked:bg-raised has-checked:text-ink has-checked:shadow-sm has-focus-visible:outline-2 has-focus-visible:outline-accent has-disabled:cursor-default"
        >
          <input
            type="radio"
            name={name}
            className="sr-only"
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          {option.label}
        </label>
      ))}
    </fieldset>
  )
}
