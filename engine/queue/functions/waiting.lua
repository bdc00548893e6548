-- Entries that were written straight into the stream and that nobody claimed yet: they have no record. For the export.

-- ARGV: stream id after which to look, last stream id to look at, entries looked at. {last id looked at or '', {id, workflow,
-- input, {name, value, … of its other fields}}, …}. A claim takes entries in their order: the first one without a record was not claimed, nor were those after it.
local function waiting(keys, argv)
  local k, out = named(keys), { '' }
  for _, entry in ipairs(redis.call('XRANGE', k.events, '(' .. argv[1], argv[2], 'COUNT', argv[3])) do
    out[1] = entry[1]
    if redis.call('HEXISTS', k.runs, entry[1]) == 0 then
      local f = fields_of(entry[2])
      out[#out + 1] = { entry[1], f.workflow or '', f.input or '', other_fields(f, 2 ^ 40, 2 ^ 40) }
    end
  end
  return out
end
