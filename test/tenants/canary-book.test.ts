import { expect, test } from 'vitest'
import { CanaryBook } from '../../harness/tenants/canary-book.ts'

test('a canary is found with its owner’s name, in whatever encoding, and as often as it is there', () => {
  const book = new CanaryBook()
  const [ada, bob] = [book.fresh('ada'), book.fresh('bob')]
  const text = `{"a":"${ada}","b":"${ada}","c":"${Buffer.from(bob).toString('base64')}"}`
  expect(book.find(text).map(({ owner, digest, encoding }) => [owner, digest, encoding])).toEqual([
    ['ada', book.digestOf(ada), 'plain'],
    ['ada', book.digestOf(ada), 'plain'],
    ['bob', book.digestOf(bob), 'base64'],
  ])
})

test('no canary comes twice, and one of another book is none', () => {
  const book = new CanaryBook()
  expect(new Set(Array.from({ length: 100 }, () => book.fresh('ada'))).size).toBe(100)
  const stranger = new CanaryBook().fresh('ada')
  expect(book.find(stranger)).toEqual([])
  expect(() => book.digestOf(stranger)).toThrow('no canary of this book')
})
