-- The exact window: at most N starts in any 60 s. `win` holds the last N start times, newest first, so the N-th tells
-- when a place becomes free. Trimming to N is safe when N is raised later: whatever was trimmed had left the window, or
-- the list was full and still counts N.

-- Milliseconds until one more start is allowed; 0 when it is allowed now. Strictly more than the window must lie between
-- a start and the N-th after it: clock readings are cut to milliseconds, so equal readings may be less than it apart.
local function window_wait(win, limit, now, window)
  local nth = redis.call('LINDEX', win, limit - 1)
  if not nth then return 0 end
  return math.max(0, tonumber(nth) + window + 1 - now)
end

local function window_charge(win, limit, now)
  redis.call('LPUSH', win, digits(now))
  redis.call('LTRIM', win, 0, limit - 1)
end
