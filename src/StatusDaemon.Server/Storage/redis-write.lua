-- Writes a status, unless another value is there than the one that it may replace.
-- KEYS[1] the key; ARGV: digest of the value that it replaces or '' for none, the value, its time to live: 'keep', milliseconds, or '' for none.
-- A number: written, or there already; the milliseconds that it has left where it was to keep them, -1 for none. Else the value that is there; false: there is none.
local there = redis.pcall('GET', KEYS[1])
if type(there) == 'table' then
  there = '(' .. redis.call('TYPE', KEYS[1]).ok .. ')'
end
if there ~= ARGV[2] then
  if (there and string.sub(redis.sha1hex(there), 1, 32) or '') ~= ARGV[1] then
    return there
  end
  if ARGV[3] == 'keep' then
    redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
  elseif ARGV[3] ~= '' then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  else
    redis.call('SET', KEYS[1], ARGV[2])
  end
end
return ARGV[3] == 'keep' and redis.call('PTTL', KEYS[1]) or -1
