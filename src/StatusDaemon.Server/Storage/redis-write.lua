-- Writes a status, unless another value is there than the one that it may replace.
-- KEYS[1] the key; ARGV: digest of the value that it replaces or '' for none, the value, '1' if the key keeps its time to live.
-- 1: written, or there already. Else the value that is there; false: there is none.
local there = redis.pcall('GET', KEYS[1])
if type(there) == 'table' then
  there = '(' .. redis.call('TYPE', KEYS[1]).ok .. ')'
end
if there == ARGV[2] then
  return 1
end
if (there and string.sub(redis.sha1hex(there), 1, 32) or '') ~= ARGV[1] then
  return there
end
if ARGV[3] == '1' then
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
else
  redis.call('SET', KEYS[1], ARGV[2])
end
return 1
