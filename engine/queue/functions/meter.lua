-- Counting, inside the calls that are made anyway: `meter` holds the minute that runs, `slo` a ring of the last sixty, and
-- `usage` the totals up to the last full minute. One read and one write a batch, whatever the batch holds.

local RING = 60

local function count(m, name, n)
  m[name] = (m[name] or 0) + n
end

-- Eight buckets an octave; queue/meter.ts has the same arithmetic.
local function bucket_of(ms)
  return 'b' .. math.floor(8 * math.log(math.max(0, ms) + 1) / math.log(2) + 1e-9)
end

-- Names of the buckets of short times, as they come to be needed.
local SHORT = {}

local function count_response(m, ms)
  ms = math.max(0, ms)
  local name = SHORT[ms]
  if not name then
    name = bucket_of(ms)
    if ms < 4096 then SHORT[ms] = name end
  end
  count(m, name, 1)
end

-- A stretch at a limit that ends now, name 'atCap' or 'atQueue'. What of it lies before this minute is counted apart, so that
-- the reader can give it to the minutes in which it was: there is at most one such stretch a minute.
local function count_stretch(m, name, from, now)
  local minute = now - now % 60000
  count(m, name .. 'Ms', now - math.max(from, minute))
  if from < minute then count(m, name .. 'BeforeMs', minute - from) end
end

local function roll(k, minute)
  local past = redis.call('HGETALL', k.meter)
  local list, from = {}, nil
  for i = 1, #past, 2 do
    if past[i] == 'minute' then
      from = tonumber(past[i + 1])
    else
      list[#list + 1] = '"' .. past[i] .. '",' .. past[i + 1]
      if not string.find(past[i], '^b%d') then redis.call('HINCRBYFLOAT', k.usage, past[i], past[i + 1]) end
    end
  end
  if from then
    local text = '[' .. digits(from)
    if #list > 0 then text = text .. ',' .. table.concat(list, ',') end
    redis.call('HSET', k.slo, from % RING, text .. ']')
  end
  redis.call('DEL', k.meter)
  redis.call('HSET', k.meter, 'minute', digits(minute))
end

local function keep_count(k, m, now)
  local names = { 'minute' }
  for name in pairs(m) do names[#names + 1] = name end
  if #names == 1 then return end
  local minute = math.floor(now / 60000)
  local known = redis.call('HMGET', k.meter, unpack(names))
  if tonumber(known[1] or -1) ~= minute then
    roll(k, minute)
    known = {}
  end
  local write = {}
  for i = 2, #names do
    write[#write + 1] = names[i]
    write[#write + 1] = string.format('%.14g', tonumber(known[i] or 0) + m[names[i]])
  end
  redis.call('HSET', k.meter, unpack(write))
end

-- {time in ms, totals, ring, running minute}, the last three flat lists of names and values.
local function meter(keys)
  local k = named(keys)
  return { digits(now_ms()), redis.call('HGETALL', k.usage), redis.call('HGETALL', k.slo), redis.call('HGETALL', k.meter) }
end
