-- What one call knows of its tenant, read in one go, and what it collects on its way. Refuses to write anything.

-- A turn reads so much and one entry more: what a writer sends must not become time that everybody waits for Redis.
local BYTES_A_TURN = 512 * 1024

local CTL = { 'state', 'epoch', 'concurrentRuns', 'maxRunMs', 'maxQueued', 'startsPerMinute', 'maxPayloadBytes', 'weight',
  'estimate', 'armed', 'capSince', 'fullSince', 'largest' }

-- What a run is taken to cost before one has ended, and what a turn costs on top of slot time, milliseconds: without the
-- second, runs of no length would be free, and their tenant always first.
local ESTIMATE_MS = 50
local OVERHEAD_MS = 0.25

local function context(k, tenant, lease, window)
  local v = redis.call('HMGET', k.ctl, unpack(CTL))
  return {
    tenant = tenant, now = now_ms(), lease = lease, window = window, m = {}, state = v[1], epoch = v[2],
    cap = tonumber(v[3]), run_ms = tonumber(v[4]), queued_max = tonumber(v[5]), limit = tonumber(v[6]),
    bytes_max = tonumber(v[7]), weight = tonumber(v[8] or 1), estimate = tonumber(v[9] or ESTIMATE_MS), learnt = v[9] and true, owed = 0,
    armed = v[10], cap_since = tonumber(v[11] or 0), full_since = tonumber(v[12] or 0),
    active = {}, heads = {}, runs = {}, names = {}, gone = {}, starts = 0, retries = 0, bytes_in = 0,
    bytes_left = BYTES_A_TURN, expected = tonumber(v[13] or v[7]), largest = 0, vain = 0,
  }
end

