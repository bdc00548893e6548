-- Run records. `runs` holds a JSON head a run: a part that lasts, then, from "status" on, the part that changes; `inputs`
-- holds the inputs as they came, so no function reads one to move a run on. `finish_all` is the only way by which a run
-- ends, `bury` the only way into the dead letters.

local CHANGING = ',"status":"'

-- Where the changing part begins. A quote inside a JSON string is escaped, so this text cannot stand inside the key. Plain
-- search and anchored patterns only: these run for every run, and a pattern that slides costs more than all the rest.
local function changing_at(head)
  return string.find(head, CHANGING, 1, true)
end

local function base_of(head)
  return string.sub(head, 2, changing_at(head) - 1)
end

local function head_of(base, changing)
  return '{' .. base .. ',' .. changing .. '}'
end

local function status_of(head)
  return string.match(head, '^"([^"]+)"', changing_at(head) + #CHANGING - 1)
end

-- Status and attempt stand first in the changing part.
local function attempt_of(head)
  return tonumber(string.match(head, '^,"status":"[^"]+","attempt":(%d+)', changing_at(head)))
end

-- Nil when it does not run.
local function deadline_of(head)
  return tonumber(string.match(head, '^,"status":"running","attempt":%d+,"startedAt":%d+,"deadline":(%d+)', changing_at(head)))
end

-- What stands in e.head, into e: base, queued_at, attempt and, when it runs, started_at (text), deadline and guess, what it was
-- estimated to take. One pass, since this is done for every run.
local function read_head(e)
  local head = e.head
  local at = changing_at(head)
  local attempt, started_at, deadline, guess = string.match(head,
    '^,"status":"running","attempt":(%d+),"startedAt":(%d+),"deadline":(%d+),"estimate":([%d.e+-]+)', at)
  e.base = string.sub(head, 2, at - 1)
  e.queued_at = tonumber(string.match(head, '^{"workflow":"[^"]*","source":"%a+","queuedAt":(%d+)'))
  e.attempt = attempt or string.match(head, '^,"status":"[^"]+","attempt":(%d+)', at) or 1
  e.started_at, e.deadline, e.guess = started_at, tonumber(deadline), tonumber(guess)
  return e
end

local function workflow_of(base)
  return string.match(base, '^"workflow":"([^"]*)"')
end

local function base_for(workflow, source, queued_at, key)
  local base = '"workflow":"' .. workflow .. '","source":"' .. source .. '","queuedAt":' .. queued_at
  if key and key ~= '' then base = base .. ',"key":' .. cjson.encode(key) end
  return base
end

-- Nil without one.
local function key_of(base)
  local key = string.match(base, '"queuedAt":%d+,"key":(".*")$')
  return key and cjson.decode('[' .. key .. ']')[1]
end

local function member_of(id, attempt, epoch)
  return id .. '/' .. attempt .. '/' .. epoch
end

-- Events and dead letters hold outputs and inputs: none is older than a day either. Whole nodes first, a hundred entries a call;
-- exactly when no whole node is left, which is at most one node more.
local function retain_stream(key, now)
  local oldest = digits(now - KEPT_MS)
  if redis.call('XTRIM', key, 'MINID', '~', oldest, 'LIMIT', 100) == 0 then redis.call('XTRIM', key, 'MINID', oldest) end
end

-- Keeps at most FINISHED_MAX finished runs, none older than a day. `ended` knows only finished runs, so nothing that
-- still waits can stand in the way; bounded by 100 a call.
local function retain(k, now)
  retain_stream(k.history, now)
  retain_stream(k.dead, now)
  local excess = redis.call('ZCARD', k.ended) - FINISHED_MAX
  local gone = {}
  if excess > 0 then
    local popped = redis.call('ZPOPMIN', k.ended, math.min(excess, 100))
    for i = 1, #popped, 2 do gone[#gone + 1] = popped[i] end
  else
    local oldest = redis.call('ZRANGE', k.ended, 0, 0, 'WITHSCORES')
    if not oldest[1] or tonumber(oldest[2]) > now - KEPT_MS then return end
    gone = redis.call('ZRANGEBYSCORE', k.ended, '-inf', digits(now - KEPT_MS), 'LIMIT', 0, 100)
    redis.call('ZREM', k.ended, unpack(gone))
  end
  for _, head in ipairs(redis.call('HMGET', k.runs, unpack(gone))) do
    local key = head and key_of(base_of(head))
    if key then redis.call('HDEL', k.idem, key) end
  end
  redis.call('HDEL', k.runs, unpack(gone))
  redis.call('HDEL', k.inputs, unpack(gone))
  redis.call('ZREM', k.index, unpack(gone))
end

local METERED = { done = 'done', failed = 'failed', ['timed-out'] = 'timedOut', cancelled = 'cancelled', dead = 'dead' }

-- What the tenant's runs take: the first one that ends says it, the later ones move it.
local function learn(c, took)
  if not c.learnt then c.estimate, c.learnt = took, true end
  c.estimate = c.estimate + (took - c.estimate) / 8
end

-- For calls that end attempts outside a turn; a turn writes it with the rest of its bookkeeping.
local function keep_estimate(k, c, was)
  if c.estimate ~= was then redis.call('HSET', k.ctl, 'estimate', string.format('%.6g', c.estimate)) end
end

-- Slot time of an attempt that is over, in ms: as its worker measured it, never more than Redis saw pass. What it took beyond
-- what was charged at its claim is owed.
local function charge_slot(c, e)
  local passed = math.max(0, c.now - tonumber(e.started_at)) + 1
  local took = math.min(e.took or passed, passed)
  c.owed = c.owed + took - e.guess
  count(c.m, 'slotMs', took)
  learn(c, took)
end

-- Gives places back: what is no longer in `active` counts to no cap, and its entry is gone.
local function give_back(k, ids, members)
  if #members > 0 then call_many('ZREM', k.active, members) end
  for from = 1, #ids, CHUNK do
    local to = math.min(from + CHUNK - 1, #ids)
    redis.call('XACK', k.events, GROUP, unpack(ids, from, to))
    redis.call('XDEL', k.events, unpack(ids, from, to))
  end
end

-- ends: { id, head, status, field, member or nil, took or nil, held or nil } each; field is '"output":…' or '"error":…', already
-- JSON. One that is held has ended, and keeps its place until whoever runs it says that it stopped.
local function finish_all(k, c, ends, channel)
  if #ends == 0 then return end
  local heads, ids, ended, freed, members = {}, {}, {}, {}, {}
  local bytes = 0
  local now_text = digits(c.now)
  for i, e in ipairs(ends) do
    if not e.base then read_head(e) end
    local began = ''
    if e.started_at then
      charge_slot(c, e)
      began = ',"startedAt":' .. e.started_at
    end
    local rest = e.base .. ',"status":"' .. e.status .. '","attempt":' .. e.attempt .. began .. ',"endedAt":' .. now_text .. ',' .. e.field .. '}'
    ids[i] = e.id
    if not e.held then
      freed[#freed + 1] = e.id
      members[#members + 1] = e.member
    end
    heads[2 * i - 1], heads[2 * i] = e.id, '{' .. rest
    ended[2 * i - 1], ended[2 * i] = now_text, e.id
    redis.call('XADD', k.history, 'MAXLEN', '~', HISTORY_MAX, '*', 'run', '{"id":"run_' .. c.tenant .. '_' .. e.id .. '",' .. rest)
    count(c.m, METERED[e.status], 1)
    bytes = bytes + #e.field
    if e.status ~= 'cancelled' and e.status ~= 'dead' then count_response(c.m, c.now - e.queued_at) end
  end
  count(c.m, 'bytesOut', bytes)
  call_many('HSET', k.runs, heads)
  call_many('ZADD', k.ended, ended)
  give_back(k, freed, members)
  retain(k, c.now)
  redis.call('SPUBLISH', channel, '1')
end

-- Ends the stretch at the queue's bound when fewer wait than it allows: whoever makes the queue shorter asks for this.
local function end_full(k, c, left)
  if c.full_since == 0 or left >= c.queued_max then return end
  count_stretch(c.m, 'atQueue', c.full_since, c.now)
  redis.call('HDEL', k.ctl, 'fullSince')
end

-- By name, the last of equals; and at 1 all of them, as they came.
local function fields_of(flat)
  local f = { flat }
  for i = 1, #flat, 2 do f[flat[i]] = flat[i + 1] end
  return f
end

-- What else an entry holds beside its workflow and its input, the key among it: name, value, …
local function other_fields(f, bytes_max, pairs_max)
  local flat, out, left = f[1], {}, bytes_max
  for i = 1, #flat, 2 do
    local name, value = flat[i], flat[i + 1]
    local is_known = (name == 'workflow' or name == 'input') and value == f[name]
    if not is_known and left > 0 and #out < 2 * pairs_max then
      name = string.sub(name, 1, left)
      value = string.sub(value, 1, left - #name)
      left = left - #name - #value
      out[#out + 1], out[#out + 2] = name, value
    end
  end
  return out
end

-- Other fields that are kept of a letter, beside as many bytes of them as of the input.
local LETTER_FIELDS_MAX = 100

-- f: what `fields_of` gives.
local function bury(k, id, f, reason, now, bytes_max)
  local input = f.input or ''
  local cut = #input > bytes_max
  local letter = { 'entry', id, 'reason', reason, 'at', digits(now), 'workflow', string.sub(f.workflow or '', 1, 128),
    'input', cut and string.sub(input, 1, bytes_max) or input, 'cut', cut and '1' or '0' }
  for i, text in ipairs(other_fields(f, bytes_max, LETTER_FIELDS_MAX)) do
    -- Set apart from ours, whatever a writer calls its own.
    letter[#letter + 1] = i % 2 == 1 and 'field:' .. text or text
  end
  redis.call('XADD', k.dead, 'MAXLEN', '~', DEAD_MAX, '*', unpack(letter))
end

-- Of a run, whose entry may be gone.
local function bury_run(k, id, base, reason, now, bytes_max)
  local flat = { 'workflow', workflow_of(base), 'input', redis.call('HGET', k.inputs, id) or '' }
  local key = key_of(base)
  if key then flat[5], flat[6] = 'key', key end
  bury(k, id, fields_of(flat), reason, now, bytes_max)
end
