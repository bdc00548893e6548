-- Whether a text is JSON (RFC 8259). The parser at hand takes more than that: NaN, 0x10, 01, a raw control character. Refuses
-- to parse by itself: it only looks for what the parser lets pass, so that no run begins with an input nobody can read.

local LITERALS = { ['true'] = true, ['false'] = true, ['null'] = true }

local function is_number(token)
  local whole, rest = string.match(token, '^%-?(%d+)(.*)$')
  if not whole or (#whole > 1 and string.sub(whole, 1, 1) == '0') then return false end
  rest = string.gsub(rest, '^%.%d+', '')
  rest = string.gsub(rest, '^[eE][+-]?%d+', '')
  return rest == ''
end

local function is_json(text)
  if not pcall(cjson.decode, text) then return false end
  -- The parser has seen that every escape stands in a string; without them a string ends at the next quote.
  local plain = string.gsub(text, '\\.', '')
  for inside in string.gmatch(plain, '"([^"]*)"') do
    if string.find(inside, '[%z\1-\31]') then return false end
  end
  plain = string.gsub(plain, '"[^"]*"', ' ')
  if string.find(plain, '[^%w%s%[%]{},:+.-]') or string.find(plain, '[%z\11\12]') then return false end
  for token in string.gmatch(plain, '[%w+.-]+') do
    if not LITERALS[token] and not is_number(token) then return false end
  end
  return true
end
