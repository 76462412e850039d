-- Writes a status, unless another value is there than the one that it may replace.
-- KEYS[1] the key; ARGV: digest of the value that it replaces or '' for none, the value, its time to live: milliseconds, '' for none, 'keep' that of the
-- value that it replaces, 'ask' for none and to be told that one; how much of a value is read, and compared.
-- A number: written, or there already; what is left of the time that was to be kept or told, in milliseconds, -1 for none. Else the value that is there;
-- false: there is none.
local there = redis.pcall('GETRANGE', KEYS[1], 0, ARGV[4])
if type(there) == 'table' then
  there = '(' .. redis.call('TYPE', KEYS[1]).ok .. ')'
elseif there == '' and redis.call('EXISTS', KEYS[1]) == 0 then
  there = false
end
if there ~= ARGV[2] and (there and string.sub(redis.sha1hex(there), 1, 32) or '') ~= ARGV[1] then
  return there
end
local left = (ARGV[3] == 'keep' or ARGV[3] == 'ask') and math.max(-1, redis.call('PTTL', KEYS[1])) or -1
if there ~= ARGV[2] then
  if ARGV[3] == 'keep' then
    redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
  elseif ARGV[3] == 'ask' or ARGV[3] == '' then
    redis.call('SET', KEYS[1], ARGV[2])
  else
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  end
end
return left
