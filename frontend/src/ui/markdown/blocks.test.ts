import { expect, test } from 'vitest'
import { blocks } from './blocks'

test.each([
  ['a paragraph grows until a blank line', 'one\ntwo', [], 'one\ntwo'],
  ['a blank line finishes it', 'one\n\ntw', ['one\n\n'], 'tw'],
  ['a blank line may hold spaces', 'one\n  \ntw', ['one\n  \n'], 'tw'],
  ['the newline of a blank line must have come', 'one\n  ', [], 'one\n  '],
  ['a blank line inside code finishes nothing', '```rust\na\n\nb', [], '```rust\na\n\nb'],
  ['code ends with its own fence', '```\na\n\n```\n\nb', ['```\na\n\n```\n\n'], 'b'],
  ['a shorter fence is part of the code', '````\n```\n\nb', [], '````\n```\n\nb'],
  ['a fence of the other kind is, too', '~~~\n```\n\nb', [], '~~~\n```\n\nb'],
  ['a list goes on after a blank line', '1. a\n\n2. b\n\n3', [], '1. a\n\n2. b\n\n3'],
  ['and ends where a paragraph begins', '1. a\n\n2. b\n\nthen', ['1. a\n\n2. b\n\n'], 'then'],
  ['blank lines alone are no block', '\n\none\n\n', ['one\n\n'], ''],
])('%s', (_, text, finished, growing) => {
  expect(blocks(text)).toEqual({ finished, growing })
})

test('a finished block never changes while the text grows, and nothing is lost', () => {
  const text = '# T\n\n- a\n\n  b\n- c\n\nthen\n\n```\nx\n\ny\n```\n\n| a |\n|---|\n| 1 |\n\n1. x\n\n2. y\n\n-end'
  let before: string[] = []
  for (let length = 1; length <= text.length; length++) {
    const { finished, growing } = blocks(text.slice(0, length))
    expect(finished.slice(0, before.length)).toEqual(before)
    expect(finished.join('') + growing).toBe(text.slice(0, length))
    before = finished
  }
  expect(before.length).toBe(6)
})
