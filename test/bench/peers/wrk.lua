-- What wrk found, as one line of JSON. Its own text has no p99.9.
done = function(summary, latency, requests)
  local at = function(p) return latency:percentile(p) end
  io.write(string.format('{"n":%d,"us":[%d,%d,%d,%d],"timeouts":%d}\n', summary.requests,
    at(50), at(90), at(99), at(99.9), summary.errors.timeout))
end
