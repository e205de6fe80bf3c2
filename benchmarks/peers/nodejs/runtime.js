// Lambda's Runtime API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. As AWS's own runtime for Node.js
// does it, and lighter: plain `node:http` on one kept-alive connection with Nagle's algorithm off, no logging.
import { once } from 'node:events'
import http from 'node:http'

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':')
const agent = new http.Agent({ keepAlive: true, noDelay: true })
const INVOCATION = '/2018-06-01/runtime/invocation/'

/** A function that returns its whole answer: `handler(event)`. */
export function serve(handler) {
  return loop(async (id, event) => {
    const body = JSON.stringify((await handler(event)) ?? null)
    await ended(post(`${id}/response`, { 'content-length': Buffer.byteLength(body) }).end(body))
  })
}

/** A function that streams an HTTP response: `handler(event, respond)`, and `respond(metadata)` opens the body. */
export function serveStreaming(handler) {
  return loop(async (id, event) => {
    let response
    await handler(event, metadata => {
      response = post(`${id}/response`, {
        'content-type': 'application/vnd.awslambda.http-integration-response',
        'lambda-runtime-function-response-mode': 'streaming',
        'transfer-encoding': 'chunked',
        trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body',
      })
      // The prelude and what ends it.
      response.write(Buffer.concat([Buffer.from(JSON.stringify(metadata)), Buffer.alloc(8)]))
      return response
    })
    await ended(response.end())
  })
}

async function loop(answer) {
  for (;;) {
    const { headers, body } = await ended(http.get({ hostname, port, agent, path: `${INVOCATION}next` }))
    const id = headers['lambda-runtime-aws-request-id']
    try {
      await answer(id, JSON.parse(body))
    } catch (error) {
      const report = JSON.stringify({ errorType: error.name, errorMessage: error.message })
      await ended(post(`${id}/error`, { 'content-length': Buffer.byteLength(report) }).end(report))
    }
  }
}

function post(path, headers) {
  return http.request({ hostname, port, agent, method: 'POST', path: INVOCATION + path, headers })
}

async function ended(request) {
  const [response] = await once(request, 'response')
  const chunks = []
  for await (const chunk of response) chunks.push(chunk)
  return { headers: response.headers, body: Buffer.concat(chunks).toString() }
}
