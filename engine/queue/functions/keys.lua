-- Names for what queue/keys.ts passes, in its order. Every function of a tenant takes all of a tenant's keys and no
-- other: it can only ever touch one slot.

local GROUP = 'workers'
local HISTORY_MAX = 10000
local DEAD_MAX = 10000
local FINISHED_MAX = 10000

local function named(keys)
  return {
    ctl = keys[1], events = keys[2], history = keys[3], active = keys[4], win = keys[5],
    runs = keys[6], index = keys[7], workflows = keys[8], dead = keys[9],
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
