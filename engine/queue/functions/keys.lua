-- Names for what queue/keys.ts passes, in its order. Every function of a tenant takes all of a tenant's keys and no
-- other: it can only ever touch one slot.

local GROUP = 'workers'
local HISTORY_MAX = 10000
local DEAD_MAX = 10000
local FINISHED_MAX = 10000
local KEPT_MS = 24 * 3600 * 1000
local ATTEMPTS_MAX = 3
-- So many letters at most while entries that are over a limit still get one.
local REFUSED_LETTERS_MAX = 1000
-- A direct writer may name an id by its own clock; one that is further ahead would drag all later ids with it.
local FUTURE_MS = 60 * 1000

local function named(keys)
  return {
    ctl = keys[1], events = keys[2], history = keys[3], active = keys[4], win = keys[5], runs = keys[6],
    index = keys[7], workflows = keys[8], dead = keys[9], inputs = keys[10], ended = keys[11], retry = keys[12],
    idem = keys[13], usage = keys[14], meter = keys[15], slo = keys[16], changes = keys[17], accesses = keys[18],
  }
end

-- Redis' own clock, in milliseconds: the only clock that all processes share.
local function now_ms()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end

-- Lua writes large numbers as 1.7e+12; records and scores need all digits.
local function digits(n)
  return string.format('%.0f', n)
end

-- Lua's unpack fails beyond some thousands of values; this much is safe in one command.
local CHUNK = 1000

local function call_many(command, key, values)
  for from = 1, #values, CHUNK do
    redis.call(command, key, unpack(values, from, math.min(from + CHUNK - 1, #values)))
  end
end
