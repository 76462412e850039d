-- Takes the next epoch.
-- KEYS[1] the marker; ARGV[1] what it must be above. Numbers are compared as digits, since Lua's have only 53 bits.
-- The epoch; false if there is no marker.
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  return false
end
if #ARGV[1] > #epoch or (#ARGV[1] == #epoch and ARGV[1] > epoch) then
  redis.call('HSET', KEYS[1], 'epoch', ARGV[1])
end
redis.call('HINCRBY', KEYS[1], 'epoch', 1)
return redis.call('HGET', KEYS[1], 'epoch')
