import { useState } from 'react'
import { PRICE_TABLE, type Prices } from '../../measure/prices'

/** With the month in it: edited prices do not outlive the table that they were edited from. */
const KEY = `tristream.prices.${PRICE_TABLE.month}`

function stored(): Prices {
  const prices: Prices = { ...PRICE_TABLE.prices }
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}')
    for (const [name, value] of Object.entries(found ?? {})) {
      if (Object.hasOwn(prices, name) && typeof value === 'number' && value >= 0) prices[name as keyof Prices] = value
    }
  } catch {
    // Whatever that was, it was no price list.
  }
  return prices
}

export function usePrices(): [Prices, (prices: Prices) => void] {
  const [prices, setPrices] = useState(stored)
  return [
    prices,
    next => {
      setPrices(next)
      localStorage.setItem(KEY, JSON.stringify(next))
    },
  ]
}
