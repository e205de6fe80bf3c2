/** What AWS bills, in US dollars: list prices without free tiers and without the model. A user may edit each. */
export interface Prices {
  /** Per million invocations. */
  lambdaRequests: number
  /** Per GB-second. */
  lambdaGbSecond: number
  /** Not a price, but what one is multiplied with: the functions' memory. */
  lambdaMemoryMb: number
  /** Per million messages of 32 KB, in both directions. */
  websocketMessages: number
  /** Per million minutes. */
  websocketConnectionMinutes: number
  /** Per million queries, mutations and subscriptions. */
  appsyncOperations: number
  /** Per million updates of 5 KB to a subscriber. */
  appsyncUpdates: number
  /** Per million minutes. */
  appsyncConnectionMinutes: number
  /** Per million requests. */
  sqsRequests: number
  /** Per million request units of 1 KB, on demand. 0 where the stream log is switched off. */
  dynamodbWrites: number
  /** Per million request units of 4 KB, strongly consistent. 0 where the stream log is switched off. */
  dynamodbReads: number
}

export interface PriceTable {
  region: string
  /** When the list was looked at. */
  month: string
  /** Where the price lists are. */
  sources: string[]
  prices: Prices
}

export const PRICE_TABLE: PriceTable = {
  region: 'us-east-1',
  month: '2026-11',
  sources: [
    'https://aws.amazon.com/lambda/pricing/',
    'https://aws.amazon.com/api-gateway/pricing/',
    'https://aws.amazon.com/appsync/pricing/',
    'https://aws.amazon.com/sqs/pricing/',
    'https://aws.amazon.com/dynamodb/pricing/on-demand/',
  ],
  prices: {
    lambdaRequests: 0.2,
    // arm64. x86_64 costs 0.0000166667.
    lambdaGbSecond: 0.0000133333,
    lambdaMemoryMb: 128,
    websocketMessages: 1,
    websocketConnectionMinutes: 0.25,
    appsyncOperations: 4,
    appsyncUpdates: 2,
    appsyncConnectionMinutes: 0.08,
    sqsRequests: 0.4,
    dynamodbWrites: 0.625,
    dynamodbReads: 0.125,
  },
}
