// For k6, which runs it: arrivals at a constant rate, with as many users as it is given. One line of JSON at the end.
import http from 'k6/http'

export const options = {
  discardResponseBodies: true,
  summaryTrendStats: ['p(50)', 'p(90)', 'p(99)', 'p(99.9)', 'count'],
  scenarios: {
    arrivals: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE),
      timeUnit: '1s',
      duration: `${__ENV.SECONDS}s`,
      preAllocatedVUs: Number(__ENV.USERS),
      maxVUs: Number(__ENV.USERS),
      gracefulStop: `${__ENV.TIMEOUT_SECONDS}s`,
    },
  },
}

export default function () {
  http.get(__ENV.URL, { timeout: `${__ENV.TIMEOUT_SECONDS}s` })
}

export function handleSummary({ metrics }) {
  const { values } = metrics.http_req_duration
  const ms = ['p(50)', 'p(90)', 'p(99)', 'p(99.9)'].map((at) => values[at])
  const dropped = metrics.dropped_iterations?.values.count ?? 0
  return { stdout: `${JSON.stringify({ n: values.count, ms, dropped })}\n` }
}
